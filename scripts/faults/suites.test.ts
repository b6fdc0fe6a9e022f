import { expect } from 'chai';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { FAULT_SUITES, scheduleOf } from './suites.ts';

const FOLDER = fileURLToPath(new URL('../../e2e/faults', import.meta.url));

describe('the schedule of the fault suites', () => {
  it('has every suite of the folder', async () => {
    const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.e2e.ts'));

    const names = FAULT_SUITES.map(({ name }) => `${name}.e2e.ts`);

    expect(names.toSorted()).to.deep.equal(files.toSorted());
  });

  it('runs what measures times alone, and of the others the longest first', () => {
    const { alone, together } = scheduleOf([]);

    expect(alone.map(({ name }) => name)).to.deep.equal(['poison']);
    expect(together[0]?.name).to.equal('soak');
    expect(alone.length + together.length).to.equal(FAULT_SUITES.length);
  });

  it('refuses a suite that there is not', () => {
    expect(() => scheduleOf(['soak', 'nap'])).to.throw('there is no fault suite "nap"; there are poison,');
  });
});
