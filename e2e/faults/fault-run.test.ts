import { expect } from 'chai';
import { readFaultRun, sample, seededRandom, whileTimeLasts } from './fault-run.ts';

describe('readFaultRun', () => {
  it('is the small run with the fixed seed, and writes nothing, unless it is told otherwise', () => {
    expect(readFaultRun({})).to.deep.equal({
      tier: 1,
      seed: 1,
      isRecorded: false,
      sweepMs: Infinity,
      soakMs: 45_000,
      isWhole: true,
    });
    expect(
      readFaultRun({ FAULTS_TIER: '2', FAULTS_SEED: '7', FAULTS_RECORD: '1', FAULTS_MINUTES: '2' }),
    ).to.deep.equal({
      tier: 2,
      seed: 7,
      isRecorded: true,
      sweepMs: 120_000,
      soakMs: 3_600_000,
      isWhole: false,
    });
    expect(readFaultRun({ SOAK_MINUTES: '5' }).soakMs).to.equal(300_000);
  });

  it('refuses a tier and a seed that there are not', () => {
    expect(() => readFaultRun({ FAULTS_TIER: '3' })).to.throw('FAULTS_TIER is "3"');
    expect(() => readFaultRun({ FAULTS_MINUTES: '0' })).to.throw('FAULTS_MINUTES must be');
    expect(() => readFaultRun({ SOAK_MINUTES: 'long' })).to.throw('SOAK_MINUTES must be');
    expect(() => readFaultRun({ FAULTS_SEED: 'x' })).to.throw('FAULTS_SEED must be a whole number');
  });
});

describe('whileTimeLasts', () => {
  it('gives every plan when there is time, and none when there is not', () => {
    const run = readFaultRun({});

    expect([...whileTimeLasts([1, 2], run)]).to.deep.equal([1, 2]);
    expect([...whileTimeLasts([1, 2], { ...run, sweepMs: 0 })]).to.deep.equal([]);
  });
});

describe('sample', () => {
  it('picks the same for the same seed, something else for another, and nothing twice', () => {
    const items = Array.from({ length: 50 }, (_item, index) => index);

    const picked = sample(items, 10, seededRandom(3));

    expect(picked).to.deep.equal(sample(items, 10, seededRandom(3)));
    expect(picked).not.to.deep.equal(sample(items, 10, seededRandom(4)));
    expect(new Set(picked).size).to.equal(10);
  });

  it('picks all when there are not more', () => {
    expect(sample([1, 2, 3], 5, seededRandom(1))).to.have.members([1, 2, 3]);
  });
});
