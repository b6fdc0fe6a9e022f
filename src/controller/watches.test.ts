import { expect } from 'chai';
import type { K8sObject } from '../model/object.ts';
import { INJECTOR_SELECTOR } from '../core/objects/injectors.ts';
import { INJECTORS, OWNER_NAMESPACE_LABEL, OWNER_NAME_LABEL } from './watch-table.ts';
import type { WatchEvent, WatchPort } from './watch.port.ts';
import { watchAll } from './watches.ts';
import { istioOperator } from './testing/builders.ts';

describe('the watches of the controller', () => {
  /** Each watch by itself, as the API server keeps them: they are told the same at different times. */
  function watched(resource: K8sObject): { enqueued: string[]; tellInjectors: (event: WatchEvent) => void } {
    const enqueued: string[] = [];
    let tellInjectors: (event: WatchEvent) => void = () => {};
    const port: WatchPort = {
      watch: ({ kind }, { labelSelector }) => ({
        synced: Promise.resolve(),
        isSynced: () => true,
        onSync: () => () => undefined,
        // A resource may be large, and there may be many: events are told without reading any.
        get: () => expect.fail(`a ${kind} was read`),
        list: () => expect.fail(`all of the kind ${kind} were read`),
        onChange: (handler) => {
          if (labelSelector === INJECTOR_SELECTOR) tellInjectors = handler;
          if (kind === 'IstioOperator') handler({ type: 'added', object: resource });
          return () => undefined;
        },
        refresh: async () => undefined,
        stop: () => undefined,
      }),
    };
    watchAll(
      port,
      { namespaces: [], stateOf: () => '', isHeavy: () => false },
      { enqueue: (key) => enqueued.push(key), lost: () => undefined },
    );
    enqueued.splice(0);
    return { enqueued, tellInjectors: (event) => tellInjectors(event) };
  }

  it('look again at an injection webhook without its owner labels once all of them know', () => {
    const resource = istioOperator();
    const { name, namespace = '' } = resource.metadata;
    const { enqueued, tellInjectors } = watched(resource);
    const labels = { app: 'sidecar-injector', [OWNER_NAMESPACE_LABEL]: String(namespace) };
    const stripped: K8sObject = { ...INJECTORS, metadata: { name: 'istio-sidecar-injector', labels } };
    const owned = { ...labels, [OWNER_NAME_LABEL]: name };
    const old: K8sObject = { ...stripped, metadata: { ...stripped.metadata, labels: owned } };

    tellInjectors({ type: 'updated', old, object: stripped });

    expect(enqueued).to.deep.equal([`${String(namespace)}/${name}`]);
  });
});
