import { expect } from 'chai';
import { formsOf } from './canary-places.ts';

describe('formsOf', () => {
  const canary = 'CANARY+0123456789abcdef/x';

  for (const before of ['', 'a', 'ab', 'abc']) {
    it(`finds a secret in base64 that begins after "${before}"`, () => {
      const text = Buffer.from(`${before}${canary}, and more`).toString('base64');

      expect(formsOf(canary).some((form) => text.includes(form))).to.equal(true);
    });
  }

  it('finds it in URLs and in hex', () => {
    const [inUrl, inHex] = [encodeURIComponent(canary), Buffer.from(canary).toString('hex')];

    expect(formsOf(canary)).to.include.members([inUrl, inHex]);
  });
});
