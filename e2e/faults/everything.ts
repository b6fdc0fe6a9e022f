/** Two installations that have every kind between them, and what the cluster needs for that. */
import type { K8sObject } from '../../src/model/object.ts';
import type { Station } from './fault-bench.ts';

const STORAGE_CLASS = 'drift-e2e';

function gateway(name: string): { readonly name: string; readonly enabled: true } {
  return { name, enabled: true };
}

/** Ambient, gateways, addons, a tag and all options that bring a kind of their own. */
export const EVERYTHING: Station = {
  name: 'everything',
  spec: {
    profile: 'ambient',
    components: {
      ingressGateways: [gateway('istio-ingressgateway')],
      egressGateways: [gateway('istio-egressgateway')],
    },
    addonComponents: {
      prometheus: { enabled: true, mode: 'monitors', url: 'http://prometheus.monitoring:9090' },
      grafana: { enabled: true },
      kiali: { enabled: true },
      loki: { enabled: true },
      tracing: { enabled: true, storage: { size: '1Gi', className: STORAGE_CLASS } },
    },
    values: {
      revisionTags: ['prod'],
      global: { networkPolicy: { enabled: true }, defaultPodDisruptionBudget: { enabled: true } },
      experimental: { stableValidationPolicy: true },
      // A budget is for more than one replica only.
      pilot: { autoscaleMin: 2 },
      cni: { provider: 'multus', resourceQuotas: { enabled: true } },
      ztunnel: { resourceQuotas: { enabled: true } },
    },
  },
};

/** A control plane that is elsewhere, at an address: the only one with an EndpointSlice of ours. */
export const FAR: Station = {
  name: 'far',
  spec: { profile: 'remote', revision: 'far', values: { global: { remotePilotAddress: '10.1.2.3' } } },
};

/** The cluster of the tests provides none by itself. */
export const VOLUME: K8sObject = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: STORAGE_CLASS },
  spec: {
    storageClassName: STORAGE_CLASS,
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    hostPath: { path: '/nowhere' },
  },
};
