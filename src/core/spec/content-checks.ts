/** What a schema cannot tell: one function a rule in checks/, one list of all here. */
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { JsonObject } from '../../model/json.ts';
import { addonAddresses, formerTracers } from './checks/addons.ts';
import type { Check } from './checks/check.ts';
import {
  certificateProvider,
  formerNamespace,
  replicaConflicts,
  splitControlPlane,
  unreadFields,
} from './checks/choices.ts';
import { images } from './checks/images.ts';
import { meshConfig } from './checks/mesh-config.ts';
import { duplicateGateways, gatewayNames, namespaces, revision } from './checks/names.ts';
import { gatewayPorts, proxyRanges } from './checks/network.ts';

const CHECKS: readonly Check[] = [
  unreadFields,
  formerNamespace,
  revision,
  gatewayNames,
  namespaces,
  duplicateGateways,
  images,
  gatewayPorts,
  proxyRanges,
  meshConfig,
  certificateProvider,
  replicaConflicts,
  splitControlPlane,
  addonAddresses,
  formerTracers,
];

/** All findings about a merged specification, in the order of the rules. */
export function checkContent(spec: JsonObject): readonly Diagnostic[] {
  return CHECKS.flatMap((check) => check(spec));
}
