/** How pods learn the mesh's root certificate: from a ConfigMap, or from a ClusterTrustBundle. */
import type { JsonValue } from '../../model/json.ts';
import { textOf, truthy } from '../go-values.ts';
import type { View } from './manifest.ts';
import type { ValuesReader } from './reader.ts';

/** Only the boolean counts: upstream refuses the string. `root` is where istiod's environment stands. */
export function usesTrustBundles(v: ValuesReader, ...root: readonly string[]): boolean {
  return v.any(...root, 'env', 'ENABLE_CLUSTER_TRUST_BUNDLE_API') === true;
}

/** Both places of the certificate; a name that the user gives counts for both. */
export function rootCertificate(name: JsonValue): View {
  const given = truthy(name) ? textOf(name) : undefined;
  return {
    caConfigMapName: given ?? 'istio-ca-root-cert',
    trustBundleReference: `istio.io:istiod-ca:${given ?? 'root-cert'}`,
  };
}
