/** Which objects make up istiod: the one place where it is decided whether each of them exists. */
import { textOf } from '../../go-values.ts';
import type { ComponentInput, Manifest } from '../manifest.ts';
import type { ValuesReader } from '../reader.ts';
import { configurationManifests } from './configuration.ts';
import type { Istiod } from './istiod.ts';
import { istiodOf } from './istiod.ts';
import { isReadable } from '../reader-rights.ts';
import { remoteManifests } from './remote.ts';
import { accountManifest, clusterRoleManifests, readerManifests, roleManifests } from './rights.ts';
import { injectorManifest, policyManifests, tagManifest, validatorManifest } from './webhooks.ts';
import { networkPolicyManifest, tagServiceManifest, workloadManifests } from './workload.ts';

/** All objects of istiod, in no particular order. */
export function pilotManifests(input: ComponentInput): readonly Manifest[] {
  const istiod = istiodOf(input);
  const scope = istiod.v.text('global', 'resourceScope');
  return [
    ...(scope === 'all' || scope === 'namespace' ? namespacedManifests(istiod) : []),
    ...(scope === 'all' || scope === 'cluster' ? clusterManifests(istiod) : []),
  ];
}

function namespacedManifests(istiod: Istiod): readonly Manifest[] {
  const { v } = istiod;
  // The policies are cluster-scoped; upstream counts them here all the same.
  const stableChannel = v.is('experimental', 'stableValidationPolicy');
  return [
    ...(runsLocally(v) ? workloadManifests(istiod) : []),
    ...(servesConfig(v) ? [accountManifest(istiod), ...roleManifests(istiod)] : []),
    ...(servesConfig(v) && stableChannel ? policyManifests(istiod) : []),
    ...configurationManifests(istiod),
    ...(v.is('global', 'networkPolicy', 'enabled') ? [networkPolicyManifest(istiod)] : []),
    ...revisionTags(v).map((tag) => tagServiceManifest(istiod, tag)),
    ...remoteManifests(istiod),
  ];
}

function clusterManifests(istiod: Istiod): readonly Manifest[] {
  const { v } = istiod;
  const tags = revisionTags(v).map((tag) => tagManifest(istiod, tag));
  return [
    ...(servesConfig(v) ? clusterRoleManifests(istiod) : []),
    ...(isReadable(v, istiod.input.release) ? readerManifests(istiod) : []),
    ...(v.is('global', 'operatorManageWebhooks') ? [] : [injectorManifest(istiod), ...tags]),
    ...(servesConfig(v) && v.is('global', 'configValidation') ? [validatorManifest(istiod)] : []),
  ];
}

/** Whether istiod itself runs here; not when it runs in another cluster. */
function runsLocally(v: ValuesReader): boolean {
  return !v.is('istiodRemote', 'enabled') || v.is('istiodRemote', 'enabledLocalInjectorIstiod');
}

/** Whether this cluster's configuration is istiod's, wherever istiod runs. */
function servesConfig(v: ValuesReader): boolean {
  return runsLocally(v) || v.is('global', 'configCluster');
}

function revisionTags(v: ValuesReader): readonly string[] {
  return v.list('revisionTags').map(textOf);
}
