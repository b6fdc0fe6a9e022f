import { expect } from 'chai';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { printDiagnostic } from '../../model/diagnostic.ts';
import type { K8sObject } from '../../model/object.ts';
import { object } from '../testing/objects.ts';
import type { OverlayContext } from './overlays.ts';
import { applyOverlays } from './overlays.ts';

const CONTEXT: OverlayContext = {
  path: ['spec', 'components', 'pilot', 'k8s', 'overlays'],
  revision: '',
  isPartial: false,
};

const SERVICE = object('Service', 'istiod', {
  metadata: { name: 'istiod', labels: { app: 'istiod' } },
  spec: {
    type: 'ClusterIP',
    ports: [
      { name: 'grpc', port: 15010 },
      { name: 'http', port: 8080 },
    ],
    externalIPs: ['10.0.0.1', '10.0.0.2'],
  },
});
const MAP = object('ConfigMap', 'istio', { data: { mesh: 'a: b' } });

interface Patch {
  readonly path: string;
  readonly value?: JsonValue;
}

function service(...patches: readonly Patch[]): JsonObject {
  return { kind: 'Service', name: 'istiod', patches: patches as unknown as JsonValue };
}

interface Result {
  readonly objects: readonly K8sObject[];
  readonly diagnostics: readonly string[];
}

function overlaid(
  objects: readonly K8sObject[],
  overlays: readonly JsonValue[],
  context: Partial<OverlayContext> = {},
): Result {
  const result = applyOverlays(objects, overlays, { ...CONTEXT, ...context });
  return { objects: result.objects, diagnostics: result.diagnostics.map(printDiagnostic) };
}

/** The Service after these patches; none of them may fail. */
function patched(...patches: readonly Patch[]): K8sObject | undefined {
  const { objects, diagnostics } = overlaid([SERVICE], [service(...patches)]);
  expect(diagnostics).to.deep.equal([]);
  return objects[0];
}

function serviceWith(spec: JsonObject): K8sObject {
  return { ...SERVICE, spec: { ...(SERVICE['spec'] as JsonObject), ...spec } };
}

function faultsOf(...patches: readonly Patch[]): readonly string[] {
  const { objects, diagnostics } = overlaid([SERVICE], [service(...patches)]);
  expect(objects).to.deep.equal([SERVICE]);
  return diagnostics;
}

describe('applyOverlays', () => {
  it('replaces a scalar, a map and a list as a whole', () => {
    expect(patched({ path: 'spec.type', value: 'NodePort' })).to.deep.equal(
      serviceWith({ type: 'NodePort' }),
    );
    expect(patched({ path: 'spec.ports.[name:http]', value: { port: 1 } })).to.deep.equal(
      serviceWith({ ports: [{ name: 'grpc', port: 15010 }, { port: 1 }] }),
    );
    expect(patched({ path: 'spec.externalIPs', value: [] })).to.deep.equal(serviceWith({ externalIPs: [] }));
  });

  it('writes false, 0 and the empty text as values', () => {
    expect(
      patched({ path: 'spec.a', value: false }, { path: 'spec.b', value: 0 }, { path: 'spec.c', value: '' }),
    ).to.deep.equal(serviceWith({ a: false, b: 0, c: '' }));
  });

  it('creates what is missing on the way to a leaf', () => {
    expect(patched({ path: 'spec.sessionAffinityConfig.clientIP.timeoutSeconds', value: 5 })).to.deep.equal(
      serviceWith({ sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } }),
    );
  });

  it('deletes what has the value null or none', () => {
    const { type: _type, ...spec } = SERVICE['spec'] as JsonObject;
    const without = { ...SERVICE, spec };

    expect([patched({ path: 'spec.type', value: null }), patched({ path: 'spec.type' })]).to.deep.equal([
      without,
      without,
    ]);
    expect(patched({ path: 'spec.ports.[name:grpc]' })).to.deep.equal(
      serviceWith({ ports: [{ name: 'http', port: 8080 }] }),
    );
  });

  it('takes the wish to delete what is not there for fulfilled', () => {
    expect(patched({ path: 'spec.none.deeper' })).to.deep.equal(SERVICE);
  });

  it('appends to a list', () => {
    expect(patched({ path: 'spec.externalIPs.[-1]', value: '10.0.0.3' })).to.deep.equal(
      serviceWith({ externalIPs: ['10.0.0.1', '10.0.0.2', '10.0.0.3'] }),
    );
  });

  it('applies patches and overlays in order, each to the result of the one before', () => {
    const { objects, diagnostics } = overlaid(
      [SERVICE],
      [
        service({ path: 'spec.a', value: { b: 1 } }, { path: 'spec.a.c', value: 2 }),
        service({ path: 'spec.a.b' }, { path: 'spec.d', value: 3 }),
      ],
    );

    expect({ objects, diagnostics }).to.deep.equal({
      objects: [serviceWith({ a: { c: 2 }, d: 3 })],
      diagnostics: [],
    });
  });

  it('changes every object of that kind and name, whatever its group and namespace', () => {
    const namesakes = ['a', 'b'].map((namespace) => ({ ...MAP, metadata: { name: 'istio', namespace } }));
    const overlay = {
      apiVersion: 'any/v9',
      kind: 'ConfigMap',
      name: 'istio',
      patches: [{ path: 'data.x', value: 'y' }],
    };

    expect(overlaid(namesakes, [overlay]).objects).to.deep.equal(
      namesakes.map((map) => ({ ...map, data: { mesh: 'a: b', x: 'y' } })),
    );
  });

  it('may rename an object', () => {
    expect(patched({ path: 'metadata.name', value: 'other' })).to.deep.equal({
      ...SERVICE,
      metadata: { name: 'other', labels: { app: 'istiod' } },
    });
  });

  describe('with a text that reads like a YAML map', () => {
    it('writes the map', () => {
      expect(
        patched({ path: 'spec.a', value: 'x: 1' }, { path: 'spec.b', value: 'y:\n  - z\n' }),
      ).to.deep.equal(serviceWith({ a: { x: 1 }, b: { y: ['z'] } }));
    });

    it('writes the text where only texts can stand', () => {
      const value = 'hello: world';

      expect(patched({ path: 'metadata.annotations.a', value })).to.deep.equal({
        ...SERVICE,
        metadata: { name: 'istiod', labels: { app: 'istiod' }, annotations: { a: value } },
      });
      expect(
        overlaid([MAP], [{ kind: 'ConfigMap', name: 'istio', patches: [{ path: 'data.mesh', value }] }])
          .objects,
      ).to.deep.equal([{ ...MAP, data: { mesh: value } }]);
    });

    it('writes the text where a text stands now', () => {
      expect(patched({ path: 'spec.type', value: 'a: b' })).to.deep.equal(serviceWith({ type: 'a: b' }));
    });

    it('writes texts that only look like it', () => {
      const values = ['{"a": 1}', 'a:b', '- a: b', 'a: b: c', '12:30'];

      const written = values.map((value) => patched({ path: 'spec.x', value }));

      expect(written).to.deep.equal(values.map((value) => serviceWith({ x: value })));
    });
  });

  describe('of an installation with a revision', () => {
    const revised = [
      object('Deployment', 'istiod-canary'),
      object('ClusterRole', 'istiod-clusterrole-canary-istio-system'),
    ];
    const patches = [{ path: 'x', value: 1 }];

    it('finds objects by their names with and without the revision', () => {
      const names = ['istiod-canary', 'istiod'];

      const found = names.map((name) =>
        overlaid(revised, [{ kind: 'Deployment', name, patches }], { revision: 'canary' }),
      );

      expect(found.map(({ objects }) => objects[0])).to.deep.equal(
        names.map(() => ({ ...revised[0], x: 1 })),
      );
    });

    it('finds objects that have the revision in the middle of their names', () => {
      const overlay = { kind: 'ClusterRole', name: 'istiod-clusterrole-istio-system', patches };

      expect(overlaid(revised, [overlay], { revision: 'canary' }).objects[1]).to.deep.equal({
        ...revised[1],
        x: 1,
      });
    });

    it('takes only a whole part of a name for the revision', () => {
      const injector = [object('ConfigMap', 'istio-sidecar-injector-s')];
      const named = (name: string) =>
        overlaid(injector, [{ kind: 'ConfigMap', name, patches }], { revision: 's' });

      expect(named('istio-sidecar-injector').diagnostics).to.deep.equal([]);
      expect(named('istioidecar-injector-s').diagnostics).to.have.length(1);
    });
  });

  describe('that cannot be applied', () => {
    it('names the objects that exist', () => {
      const overlay = { kind: 'Service', name: 'istoid', patches: [] };

      expect(overlaid([SERVICE, MAP], [service(), overlay]).diagnostics).to.deep.equal([
        'IOP401 spec.components.pilot.k8s.overlays[1]: the component renders no Service istoid. Did you mean Service istiod? There are: Service istiod.',
      ]);
    });

    it('names all objects when there is none of that kind', () => {
      expect(overlaid([SERVICE, MAP], [{ kind: 'Secret', name: 'x' }]).diagnostics).to.deep.equal([
        'IOP401 spec.components.pilot.k8s.overlays[0]: the component renders no Secret x. There are: ConfigMap istio, Service istiod.',
      ]);
      expect(overlaid([], [{ kind: 'Secret', name: 'x' }]).diagnostics).to.deep.equal([
        'IOP401 spec.components.pilot.k8s.overlays[0]: the component renders no Secret x. There are: no objects.',
      ]);
    });

    it('only warns when a part of the objects is left out on purpose', () => {
      const { diagnostics } = applyOverlays([], [{ kind: 'Secret', name: 'x' }], {
        ...CONTEXT,
        isPartial: true,
      });

      expect(diagnostics.map(({ code, severity }) => [code, severity])).to.deep.equal([
        ['IOP405', 'warning'],
      ]);
    });

    it('names the elements that exist when none is selected', () => {
      expect(faultsOf({ path: 'spec.ports.[name:https].port', value: 1 })).to.deep.equal([
        'IOP402 spec.components.pilot.k8s.overlays[0].patches[0].path: [name:https] matches nothing in spec.ports of Service istiod. There are: [name:grpc], [name:http].',
      ]);
      expect(faultsOf({ path: 'spec.externalIPs.[7]' })).to.deep.equal([
        'IOP402 spec.components.pilot.k8s.overlays[0].patches[0].path: [7] matches nothing in spec.externalIPs of Service istiod. There are: [0], [1].',
      ]);
      expect(faultsOf({ path: 'spec.none.[name:a].b', value: 1 })).to.deep.equal([
        'IOP402 spec.components.pilot.k8s.overlays[0].patches[0].path: [name:a] matches nothing in spec.none of Service istiod. The list is empty.',
      ]);
    });

    it('refuses to change the type of a value', () => {
      expect(
        faultsOf({ path: 'spec.ports', value: { a: 1 } }, { path: 'spec.type.x', value: 1 }),
      ).to.deep.equal([
        'IOP403 spec.components.pilot.k8s.overlays[0].patches[0]: spec.ports of Service istiod is a list, not a map. Change the path or the value; to replace a value by one of another type, delete it first.',
        'IOP403 spec.components.pilot.k8s.overlays[0].patches[1]: spec.type of Service istiod is a scalar, not a map. Change the path or the value; to replace a value by one of another type, delete it first.',
      ]);
    });

    it('changes the type of a value that was deleted first, as the remedy says', () => {
      expect(patched({ path: 'spec.type' }, { path: 'spec.type', value: { a: 1 } })).to.deep.equal(
        serviceWith({ type: { a: 1 } }),
      );
    });

    it('refuses to take away what makes an object', () => {
      expect(
        faultsOf({ path: 'metadata.name' }, { path: 'kind' }, { path: 'apiVersion', value: 7 }),
      ).to.have.length(3);
    });

    it('applies nothing of what is refused, and what comes after it to the object as it was', () => {
      const { objects, diagnostics } = overlaid(
        [SERVICE],
        [
          service(
            { path: 'metadata.labels.first', value: 'x' },
            { path: 'metadata.name' },
            { path: 'metadata.labels.second', value: 'y' },
          ),
        ],
      );

      expect(diagnostics).to.have.length(1);
      expect(objects[0]?.metadata).to.deep.equal({
        name: 'istiod',
        labels: { app: 'istiod', first: 'x', second: 'y' },
      });
      expect(SERVICE.metadata['labels']).to.deep.equal({ app: 'istiod' });
    });

    it('tells why a path cannot be read', () => {
      expect(faultsOf({ path: '' }, { path: 'spec.[', value: 1 })).to.deep.equal([
        'IOP404 spec.components.pilot.k8s.overlays[0].patches[0].path: the path is empty. Write it as in spec.template.spec.containers.[name:discovery].args.',
        'IOP404 spec.components.pilot.k8s.overlays[0].patches[1].path: "[" is not closed or stands alone. Write it as in spec.template.spec.containers.[name:discovery].args.',
      ]);
    });

    it('tells all faults, and goes on with what can be applied', () => {
      const { objects, diagnostics } = overlaid(
        [SERVICE],
        [
          service({ path: '' }, { path: 'spec.a', value: 1 }),
          { kind: 'Secret', name: 'x' },
          service({ path: 'spec.b', value: 2 }),
        ],
      );

      expect(objects).to.deep.equal([serviceWith({ a: 1, b: 2 })]);
      expect(diagnostics.map((text) => text.slice(0, 6))).to.deep.equal(['IOP404', 'IOP401']);
    });
  });
});
