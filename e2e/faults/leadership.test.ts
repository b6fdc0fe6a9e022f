import { expect } from 'chai';
import { handOverAfter, judgeLeadership } from './leadership.ts';
import type { Deed } from './leadership.ts';

function write(by: string, doneUs: number): Deed {
  return { by, what: 'patch services', doneUs };
}

function lease(by: string, doneUs: number, holder = by): Deed {
  return { by, what: 'update leases', doneUs, holder };
}

describe('judgeLeadership', () => {
  it('accepts writes of whoever holds the lease', () => {
    const deeds = [
      lease('a', 1),
      write('a', 2),
      lease('a', 5),
      write('a', 6),
      lease('b', 10),
      write('b', 11),
      lease('a', 20),
      write('a', 21),
    ];

    const { overlapping, takeovers } = judgeLeadership(deeds);

    expect(overlapping).to.deep.equal([]);
    expect(takeovers).to.deep.equal([
      { by: 'a', atUs: 1 },
      { by: 'b', atUs: 10 },
      { by: 'a', atUs: 20 },
    ]);
  });

  it('finds a write that was done when somebody else led', () => {
    expect(judgeLeadership([lease('a', 1), lease('b', 10), write('a', 11)]).overlapping).to.deep.equal([
      'a: patch services',
    ]);
  });

  it('finds a write after the lease was given back, and one before there was any', () => {
    const { overlapping } = judgeLeadership([
      write('a', 0),
      lease('a', 5),
      lease('a', 10, ''),
      write('a', 11),
    ]);

    expect(overlapping).to.have.length(2);
  });

  it('counts a new process of the same replica as a takeover', () => {
    const { takeovers } = judgeLeadership([lease('a', 1, 'a_1'), lease('a', 2, 'a_1'), lease('a', 3, 'a_2')]);

    expect(takeovers).to.have.length(2);
  });
});

describe('handOverAfter', () => {
  const deeds = [
    lease('a', 1),
    write('a', 2),
    lease('a', 10, ''),
    lease('b', 12),
    lease('b', 14),
    write('b', 15),
    write('b', 16),
  ];

  it('finds when the lead was given back, when it was taken, and when the new leader first wrote', () => {
    expect(handOverAfter(deeds, 5, ['b'])).to.deep.equal({ releasedUs: 10, heldUs: 12, wroteUs: 15 });
  });

  it('finds no release where the lead was lost', () => {
    const lost = deeds.filter(({ holder }) => holder !== '');

    expect(handOverAfter(lost, 5, ['a', 'b'])).to.deep.equal({ heldUs: 12, wroteUs: 15 });
  });

  it('finds nothing before the new leader has written', () => {
    expect([handOverAfter(deeds.slice(0, 5), 5, ['b']), handOverAfter(deeds, 5, ['a'])]).to.deep.equal([
      undefined,
      undefined,
    ]);
  });
});
