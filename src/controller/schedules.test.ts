import { expect } from 'chai';
import { BROKEN_OPERATORS } from './testing/schedules/broken-operators.ts';
import type { Model } from './testing/schedules/explorer.ts';
import { explore, prepareModel, replay } from './testing/schedules/explorer.ts';
import { formatSchedule, parseSchedule } from './testing/schedules/schedule.ts';

/** Always the same, so that a failure comes again. */
function numbers(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** The suite e2e/faults/model.e2e.ts tries many more. */
describe('the operator, whatever fails when', function suite() {
  this.timeout(300_000);
  let model: Model;

  before(async () => {
    model = await prepareModel();
  });

  it('goes every way undisturbed', () => {
    expect(model.findings).to.deep.equal([]);
  });

  it('ends as if nothing had happened, and harms and forgets nothing on its way', async () => {
    const scope = { singles: 1_200, pairs: 300, longer: 400, random: numbers(), mostViolations: 5 };

    const { tried, violations } = await explore(model, scope);

    expect(violations).to.deep.equal([]);
    expect(tried).to.be.greaterThan(2_000);
  });

  for (const [fault, subject] of Object.entries(BROKEN_OPERATORS)) {
    it(`is found out when it ${fault}`, async () => {
      const scope = { singles: 4_000, pairs: 0, longer: 0, random: numbers(), mostViolations: 1 };

      const { violations } = await explore(model, scope, subject);

      expect(violations).to.not.deep.equal([]);
    });
  }

  it('does the same again when a schedule is replayed', async () => {
    const text = 'shrink: 5=crashAfter 9=lost 14=cut:config~';

    const first = await replay(model, text);
    const second = await replay(model, text);

    expect(first.events).to.deep.equal(second.events);
    expect(first.events.join('\n')).to.include('"kind":"crash"').and.include('"kind":"lost"');
  });

  it('has schedules that can be written down and read again', () => {
    const text = 'grow: 3=unavailable 4=ask:lean~ 12=crashBefore';

    expect(formatSchedule(parseSchedule(text))).to.equal(text);
    expect(() => parseSchedule('grow: 3=nothing')).to.throw('3=nothing');
  });
});
