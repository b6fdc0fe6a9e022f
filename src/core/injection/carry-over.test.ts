import { expect } from 'chai';
import { carryOver } from './carry-over.ts';

describe('carrying injection over to the pod of its author', () => {
  it('leaves out what the server adds with and without injection', () => {
    const given = { containers: [{ name: 'app', image: 'app:1' }] };
    const served = { name: 'app', image: 'app:1', terminationMessagePath: '/dev/termination-log' };
    const proxy = { name: 'istio-proxy', image: 'proxyv2' };

    const carried = carryOver({
      given,
      before: { containers: [served], restartPolicy: 'Always' },
      after: { containers: [served, proxy], restartPolicy: 'Always' },
    });

    expect(carried).to.deep.equal({ containers: [{ name: 'app', image: 'app:1' }, proxy] });
  });

  it('changes an element of the author where injection does', () => {
    const probe = (port: number) => ({ containers: [{ name: 'app', probe: { port, period: 10 } }] });

    const carried = carryOver({
      given: { containers: [{ name: 'app', probe: { port: 80 } }] },
      before: probe(80),
      after: probe(15020),
    });

    expect(carried).to.deep.equal({ containers: [{ name: 'app', probe: { port: 15020 } }] });
  });

  it('keeps what the author wrote where the server alone changed it', () => {
    const carried = carryOver({
      given: { serviceAccountName: 'mine' },
      before: { serviceAccountName: 'default' },
      after: { serviceAccountName: 'default', hostname: 'x' },
    });

    expect(carried).to.deep.equal({ serviceAccountName: 'mine', hostname: 'x' });
  });

  it('removes what injection removes', () => {
    const carried = carryOver({
      given: { a: 1, b: 2 },
      before: { a: 1, b: 2 },
      after: { a: 1 },
    });

    expect(carried).to.deep.equal({ a: 1 });
  });

  it('takes the order of injection, so that a proxy that comes first stays first', () => {
    const app = { name: 'app' };
    const proxy = { name: 'istio-proxy' };

    expect(carryOver({ given: [app], before: [app], after: [proxy, app] })).to.deep.equal([proxy, app]);
  });

  it('tells mounts of one volume apart by their paths', () => {
    const one = { name: 'v', mountPath: '/a' };
    const two = { name: 'v', mountPath: '/b' };

    expect(carryOver({ given: [one], before: [one], after: [one, two] })).to.deep.equal([one, two]);
  });

  it('takes lists without keys whole', () => {
    expect(carryOver({ given: ['a'], before: ['a'], after: ['b', 'a'] })).to.deep.equal(['b', 'a']);
  });
});
