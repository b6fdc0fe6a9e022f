import { expect } from 'chai';
import { withHeartbeat } from './progress.ts';
import { impatientClock, recordedProgress } from './test-support.ts';

describe('withHeartbeat', () => {
  it('tells the start, each quarter of a minute and how long the work took', async () => {
    const { promise: mayEnd, resolve: letEnd } = Promise.withResolvers<void>();
    const progress = recordedProgress((count) => {
      if (count === 4) letEnd();
    });
    const work = (): Promise<string> => mayEnd.then(() => 'result');

    const result = await withHeartbeat(
      { clock: impatientClock(), progress },
      { name: 'building', hint: 'slow' },
      work,
    );

    expect(result).to.equal('result');
    expect(progress.lines.slice(0, 4)).to.deep.equal([
      'building (slow)',
      'building: 15 s',
      'building: 30 s',
      'building: 45 s',
    ]);
    expect(progress.lines.at(-1)).to.match(/^building: done in \d+ s$/);
  });

  it('claims no success when the work fails', async () => {
    const progress = recordedProgress();
    const failing = (): Promise<never> => Promise.reject(new Error('no disk'));

    const failure: unknown = await withHeartbeat(
      { clock: impatientClock(), progress },
      { name: 'building' },
      failing,
    ).catch((error: unknown) => error);

    expect(failure).to.have.property('message', 'no disk');
    expect(progress.lines).to.deep.equal(['building']);
  });
});
