import { expect } from 'chai';
import type { JsonObject } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import {
  appliedFields,
  displayPath,
  findItem,
  findMember,
  keyOfItem,
  otherOwners,
  ownersAt,
} from './managed-fields.ts';
import { object } from './testing/objects.ts';

function managed(...managedFields: readonly JsonObject[]): K8sObject {
  return object('Service', 'istiod', { metadata: { managedFields } });
}

describe('appliedFields', () => {
  const ours = {
    manager: 'istio-operator',
    operation: 'Apply',
    apiVersion: 'v1',
    fieldsV1: { 'f:data': {} },
  };

  it('reads what the manager applied', () => {
    expect(appliedFields(managed(ours), 'istio-operator')).to.deep.equal({
      apiVersion: 'v1',
      fields: { 'f:data': {} },
    });
  });

  for (const other of [{ operation: 'Update' }, { subresource: 'status' }, { manager: 'helm' }]) {
    it(`skips entries with ${JSON.stringify(other)}`, () => {
      expect(appliedFields(managed({ ...ours, ...other }), 'istio-operator')).to.equal(undefined);
    });
  }

  it('finds nothing in an object without managed fields', () => {
    expect(appliedFields(object('Service', 'istiod'), 'istio-operator')).to.equal(undefined);
  });
});

describe('otherOwners', () => {
  const fieldsV1 = {
    'f:spec': { 'f:ports': { 'k:{"port":80}': { '.': {}, 'f:name': {} } }, 'f:selector': {} },
  };
  const live = managed(
    { manager: 'kubectl', operation: 'Update', fieldsV1 },
    { manager: 'istio-operator', operation: 'Apply', fieldsV1 },
    { manager: 'istio-operator', operation: 'Update', fieldsV1 },
  );

  it('names those who own the field, also ourselves by another operation', () => {
    const path = ['f:spec', 'f:ports', 'k:{"port":80}', 'f:name'];

    expect(otherOwners(live, 'istio-operator', path)).to.deep.equal(['istio-operator', 'kubectl']);
  });

  it('names those who own a whole that the field is in', () => {
    expect(otherOwners(live, 'istio-operator', ['f:spec', 'f:selector', 'f:app'])).to.include('kubectl');
  });

  it('names nobody for what nobody owns', () => {
    expect(otherOwners(live, 'istio-operator', ['f:spec', 'f:type'])).to.deep.equal([]);
  });
});

describe('findItem', () => {
  const ports = [{ port: 80 }, { port: 80, protocol: 'UDP' }, { port: 81, protocol: 'TCP' }];

  it('finds an item that leaves out the default protocol', () => {
    expect(findItem(ports, 'k:{"port":80,"protocol":"TCP"}')).to.equal(ports[0]);
  });

  it('tells items apart by all their keys', () => {
    expect(findItem(ports, 'k:{"port":80,"protocol":"UDP"}')).to.equal(ports[1]);
    expect(findItem(ports, 'k:{"port":81,"protocol":"UDP"}')).to.equal(undefined);
  });

  it('finds nothing by a key that is no JSON', () => {
    expect(findItem(['x'], 'k:nonsense')).to.equal(undefined);
  });
});

describe('findMember', () => {
  it('finds a member by its value', () => {
    expect(findMember(['a', 'b'], 'v:"b"')).to.equal('b');
    expect(findMember(['a', 'b'], 'v:"c"')).to.equal(undefined);
  });
});

describe('keyOfItem', () => {
  it('writes keys as the API server does: sorted, with the default protocol', () => {
    expect(keyOfItem({ name: 'http', port: 80 }, ['protocol', 'port'])).to.equal(
      'k:{"port":80,"protocol":"TCP"}',
    );
  });
});

describe('displayPath', () => {
  it('prints fields, items, members and keys with dots', () => {
    const print = (...path: readonly string[]): string => displayPath(path);

    expect(print('f:spec', 'f:ports', 'k:{"port":80,"protocol":"TCP"}', 'f:name')).to.equal(
      'spec.ports[port=80,protocol=TCP].name',
    );
    expect(print('f:metadata', 'f:finalizers', 'v:"a.io/b"')).to.equal('metadata.finalizers[a.io/b]');
    expect(print('f:metadata', 'f:labels', 'f:istio.io/rev')).to.equal('metadata.labels[istio.io/rev]');
  });
});

describe('ownersAt', () => {
  const CONTAINERS = { 'f:spec': { 'f:containers': { 'k:{"name":"proxy"}': { '.': {}, 'f:image': {} } } } };
  const pod = object('Pod', 'gateway', {
    spec: { containers: [{ name: 'other' }, { name: 'proxy', image: 'a' }], tolerations: [{ key: 'x' }] },
    metadata: {
      managedFields: [
        { manager: 'istio-operator', operation: 'Apply', fieldsV1: CONTAINERS },
        {
          manager: 'kubectl',
          operation: 'Update',
          time: 'T',
          fieldsV1: { 'f:spec': { 'f:tolerations': {} } },
        },
      ],
    },
  });

  it('finds the item of a list by its place', () => {
    expect(ownersAt(pod, ['spec', 'containers', 1, 'image'])).to.deep.equal([
      { manager: 'istio-operator', operation: 'Apply' },
    ]);
    expect(ownersAt(pod, ['spec', 'containers', 0, 'name'])).to.deep.equal([]);
  });

  it('counts the owner of a whole list as owner of what is in it', () => {
    expect(ownersAt(pod, ['spec', 'tolerations', 0, 'key'])).to.deep.equal([
      { manager: 'kubectl', operation: 'Update', time: 'T' },
    ]);
  });
});
