/** When a Deployment gets an autoscaler and a disruption budget; the same rule for istiod and for gateways. */
import { numberAt } from '../../model/json.ts';
import type { View } from './manifest.ts';
import type { ValuesReader } from './reader.ts';

/** The limits of the autoscaler, in a list that is empty when there is to be none. `root` is where the settings stand. */
export function autoscaler(v: ValuesReader, root: readonly string[]): readonly View[] {
  const wanted = ['autoscaleEnabled', 'autoscaleMin', 'autoscaleMax'].every((key) => v.is(...root, key));
  if (!wanted) return [];
  return [{ minReplicas: v.any(...root, 'autoscaleMin'), maxReplicas: v.any(...root, 'autoscaleMax') }];
}

/** One element when a budget makes sense: with a single replica it would only block the drain of a node. */
export function disruptionBudget(v: ValuesReader, root: readonly string[]): readonly [] | readonly [true] {
  if (!v.is('global', 'defaultPodDisruptionBudget', 'enabled')) return [];
  const key = v.is(...root, 'autoscaleEnabled') ? 'autoscaleMin' : 'replicaCount';
  return (numberAt(v.tree, ...root, key) ?? 0) > 1 ? [true] : [];
}
