import { expect } from 'chai';
import type { InventoryEntry } from '../model/status.ts';
import type { CommandCluster } from './environment.ts';
import { InMemoryApi } from '../apply/testing/in-memory-api.ts';
import type { RecordContent } from './installation.ts';
import { deleteRecord, findInstallation, storeRecord } from './installation.ts';

const OWNER = { name: 'mesh', namespace: 'istio-system' };

const ENTRY: InventoryEntry = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace: 'istio-system',
  name: 'istio',
  uid: 'uid-1',
};

const CONTENT: RecordContent = {
  profile: 'demo',
  revision: 'default',
  version: '1.30.3',
  madeNamespaces: ['istio-system'],
  inventory: [ENTRY],
};

/** The engine's API server, whose lists are of one namespace; commands that list all are tested on a real one. */
function testCluster(api: InMemoryApi): CommandCluster {
  return {
    get: async (ref) => api.get(ref),
    apply: async (object, options) => api.apply(object, options),
    replaceManagedFields: async (live, fields) => api.replaceManagedFields(live, fields),
    delete: async (ref, options) => api.delete(ref, options),
    list: async (kind, selection) => api.list(kind, { namespace: 'istio-system', ...selection }),
    scanMetadata: async () => undefined,
    serverVersion: async () => 'v1.34.0',
    patchMetadata: async () => undefined,
  };
}

describe('the record of an installation', () => {
  const { signal } = new AbortController();

  it('gives back what was stored, until it is deleted', async () => {
    const cluster = testCluster(new InMemoryApi());

    await storeRecord(cluster, OWNER, CONTENT, { signal });
    const { object: _object, ...found } = (await findInstallation(cluster, OWNER, { signal })) ?? {};
    await deleteRecord(cluster, OWNER, { signal });

    expect(found).to.deep.equal({ kind: 'record', owner: OWNER, ...CONTENT });
    expect(await findInstallation(cluster, OWNER, { signal })).to.equal(undefined);
  });

  it('counts as one of nothing when somebody damaged it', async () => {
    const api = new InMemoryApi();
    const cluster = testCluster(api);
    await storeRecord(cluster, OWNER, CONTENT, { signal });
    const stored = (await findInstallation(cluster, OWNER, { signal }))?.object;
    if (stored === undefined) throw new Error('nothing was stored');
    await api.apply({ ...stored, data: { 'installation.json': '{"inventory": [{"kind":' } }, {});

    const found = await findInstallation(cluster, OWNER, { signal });

    expect(found?.inventory).to.deep.equal([]);
  });

  it('gives way to an IstioOperator of the same name', async () => {
    const api = new InMemoryApi();
    const cluster = testCluster(api);
    await storeRecord(cluster, OWNER, CONTENT, { signal });
    await api.apply(
      { apiVersion: 'install.istio.io/v1alpha1', kind: 'IstioOperator', metadata: { ...OWNER } },
      {},
    );

    const found = await findInstallation(cluster, OWNER, { signal });

    expect(found?.kind).to.equal('resource');
  });
});
