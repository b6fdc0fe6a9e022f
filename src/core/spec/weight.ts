/** Tells specifications that are planned in no time from those that might take long. */
import { isJsonObject, listAt } from '../../model/json.ts';

/**
 * Within these limits the time of planning hardly differs from that of an empty specification (docs/decisions/0009 has the figures).
 * All samples, and nearly all that people write by hand, are within.
 */
const LIGHT = { nodes: 400, characters: 32_768, gateways: 8 } as const;

/** What a specification weighs, whatever it is: `heavy` may take long. Never recurses, and stops as soon as it knows. */
export function weightOf(spec: unknown): 'light' | 'heavy' {
  if (gatewaysIn(spec) > LIGHT.gateways) return 'heavy';
  const open: unknown[] = [spec];
  let [nodes, characters] = [0, 0];
  while (open.length > 0) {
    const value = open.pop();
    nodes += 1;
    if (typeof value === 'string') characters += value.length;
    const children = childrenOf(value);
    if (isJsonObject(value)) characters += Object.keys(value).join('').length;
    if (nodes + open.length + children.length > LIGHT.nodes || characters > LIGHT.characters) return 'heavy';
    open.push(...children);
  }
  return 'light';
}

/** Each gateway is half a dozen objects, however little is written about it. */
function gatewaysIn(spec: unknown): number {
  if (!isJsonObject(spec)) return 0;
  return (
    listAt(spec, 'components', 'ingressGateways').length + listAt(spec, 'components', 'egressGateways').length
  );
}

/** The limit is compared before they are pushed, so a wide value costs one list. */
function childrenOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isJsonObject(value) ? Object.values(value) : [];
}
