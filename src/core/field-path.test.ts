import { expect } from 'chai';
import fc from 'fast-check';
import { printPath, readPath } from './field-path.ts';

describe('printPath', () => {
  it('separates keys by dots and puts indexes into brackets', () => {
    expect(printPath(['spec', 'components', 'ingressGateways', 0, 'name'])).to.equal(
      'spec.components.ingressGateways[0].name',
    );
  });

  it('quotes keys that are no plain words', () => {
    expect(printPath(['spec', 'annotations', 'prometheus.io/port', '0', 'istio-proxy'])).to.equal(
      'spec.annotations["prometheus.io/port"]["0"].istio-proxy',
    );
  });

  it('is empty for the whole document', () => {
    expect(printPath([])).to.equal('');
  });
});

describe('readPath', () => {
  it('reads what printPath prints', () => {
    const step = fc.oneof(fc.nat(), fc.string(), fc.constantFrom('spec', 'a-b', 'a.b', '"', '\\', ']["'));
    fc.assert(
      fc.property(fc.array(step), (path) => {
        expect(readPath(printPath(path))).to.deep.equal(path);
      }),
    );
  });
});
