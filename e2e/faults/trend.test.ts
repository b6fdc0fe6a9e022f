import { expect } from 'chai';
import { robustGrowth, robustSlope } from './trend.ts';

const line = (length: number, at: (x: number) => number) =>
  Array.from({ length }, (_, x) => ({ x, y: at(x) }));

describe('robustSlope', () => {
  it('is the slope of points on a line', () => {
    expect(robustSlope(line(10, (x) => 3 * x + 7))).to.equal(3);
  });

  it('is not bent by a quarter of outliers', () => {
    expect(robustSlope(line(20, (x) => (x % 4 === 0 ? 1_000 * x : 5)))).to.equal(0);
  });

  it('finds growth below noise that is larger than it', () => {
    const noisy = line(200, (x) => x / 10 + (x % 2) * 5);

    expect(robustSlope(noisy)).to.be.closeTo(0.1, 0.01);
  });

  it('refuses to tell anything of one moment', () => {
    expect(() => robustSlope([{ x: 1, y: 1 }])).to.throw('a slope needs two points');
  });
});

describe('robustGrowth', () => {
  it('is what the slope comes to over all points', () => {
    expect(robustGrowth(line(11, (x) => 2 * x))).to.equal(20);
  });
});
