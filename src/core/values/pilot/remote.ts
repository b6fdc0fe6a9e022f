/** The way to an istiod in another cluster: a Service with the name of a local one. */
import type { JsonObject, JsonValue } from '../../../model/json.ts';
import { textOf, truthy } from '../../go-values.ts';
import type { Release } from '../../releases.ts';
import { revisionLabel } from '../labels.ts';
import type { Manifest } from '../manifest.ts';
import type { Istiod } from './istiod.ts';
import { pilotManifest } from './istiod.ts';

/** None when istiod runs here, or when nobody has said where else. */
export function remoteManifests(istiod: Istiod): readonly Manifest[] {
  const { input, v, name, revision, standard } = istiod;
  const address = v.any('global', 'remotePilotAddress');
  if (!truthy(address) || !v.is('istiodRemote', 'enabled')) return [];
  const family = ipFamilyOf(address, input.release);
  const serviceName = v.is('istiodRemote', 'enabledLocalInjectorIstiod') ? `${name}-remote` : name;
  const view = { name: serviceName, namespace: input.namespace, standard, address: textOf(address) };
  const service = pilotManifest('remote-service', {
    ...view,
    labels: { 'istio.io/rev': revisionLabel(revision), ...standard },
    isName: family === undefined,
    ipFamilyPolicy: v.whenSet('global', 'ipFamilyPolicy'),
    ipFamilies: v.whenSet('global', 'ipFamilies'),
  });
  if (family === undefined) return [service];
  return [
    service,
    pilotManifest('remote-endpoints', { ...view, addressType: family, labels: endpointLabels(view) }),
  ];
}

function endpointLabels(view: { readonly name: string; readonly standard: JsonObject }): JsonObject {
  return {
    'kubernetes.io/service-name': view.name,
    // The API's own label: tells the endpoint controllers that the slice is not theirs.
    'endpointslice.kubernetes.io/managed-by': 'Helm',
    ...view.standard,
  };
}

/** Whether istiod's address is an IP; IPv4-mapped IPv6 addresses count as names, as upstream has it. */
function ipFamilyOf(address: JsonValue, { features }: Release): 'IPv4' | 'IPv6' | undefined {
  const text = textOf(address);
  if (/^([0-9]*\.){3}[0-9]*$/.test(text)) return 'IPv4';
  if (features.has('remoteByIpv6') && /^([0-9a-fA-F]*:)+[0-9a-fA-F]*$/.test(text)) return 'IPv6';
  return undefined;
}
