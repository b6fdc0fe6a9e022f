import { expect } from 'chai';
import { FIELD_MANAGER } from '../../src/apply/managed-fields.ts';
import type { JsonObject } from '../../src/model/json.ts';
import type { K8sObject } from '../../src/model/object.ts';
import { appliedContent, appliedTo, pointerTo, scalarsOf } from './applied-fields.ts';

const FIELDS = {
  'f:metadata': { 'f:labels': { 'f:a.b/c': {} } },
  'f:spec': {
    'f:ports': {
      'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {}, 'f:name': {} },
    },
    'f:args': {},
  },
};

function service(spec: JsonObject): K8sObject {
  const managedFields = [{ manager: FIELD_MANAGER, operation: 'Apply', fieldsV1: FIELDS }];
  const metadata = { name: 'x', labels: { 'a.b/c': '1', other: '2' }, managedFields };
  return { apiVersion: 'v1', kind: 'Service', metadata, spec };
}

const PORTS = [
  { port: 443, name: 'theirs' },
  { port: 80, name: 'ours' },
];
const LIVE = service({ ports: PORTS, args: [{ x: 1 }, 'y'] });

describe('the fields that the operator applied', () => {
  it('are found where they stand, whatever others put beside them', () => {
    const places = appliedTo(LIVE).map(({ place }) => pointerTo(place));

    expect(places).to.deep.equal([
      '/metadata/labels/a.b~1c',
      '/spec/ports/1',
      '/spec/ports/1/port',
      '/spec/ports/1/name',
      '/spec/args',
    ]);
  });

  it('are the same when others add to them or move them', () => {
    expect(appliedContent(service({ ports: PORTS.toReversed(), args: [{ x: 1 }, 'y'], more: 1 }))).to.equal(
      appliedContent(LIVE),
    );
  });

  it('are others when a value changes or is gone', () => {
    const changed = service({ ports: PORTS, args: [{ x: 2 }, 'y'] });
    const gone = service({ ports: PORTS.slice(0, 1), args: [{ x: 1 }, 'y'] });

    expect(appliedContent(changed)).to.not.equal(appliedContent(LIVE));
    expect(appliedContent(gone)).to.not.equal(appliedContent(LIVE));
  });

  it('have values that can be changed, but for those by which an item is known', () => {
    const scalars = appliedTo(LIVE)
      .filter(({ isItem }) => !isItem)
      .flatMap(scalarsOf);

    expect(scalars.map(({ place }) => pointerTo(place))).to.deep.equal([
      '/metadata/labels/a.b~1c',
      '/spec/ports/1/name',
      '/spec/args/0/x',
      '/spec/args/1',
    ]);
  });
});
