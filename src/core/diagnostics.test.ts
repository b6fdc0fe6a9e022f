import { expect } from 'chai';
import { DIAGNOSTIC_KINDS, diagnose, distinct } from './diagnostics.ts';

const FINDING = { path: ['spec', 'hub'], cause: 'it is wrong', remedy: 'Correct it.' };

describe('DIAGNOSTIC_KINDS', () => {
  it('gives every kind a code of its own', () => {
    const codes = Object.values(DIAGNOSTIC_KINDS).map(({ code }) => code);

    expect([...new Set(codes)]).to.deep.equal(codes);
    expect(codes.filter((code) => !/^IOP\d{3}$/u.test(code))).to.deep.equal([]);
  });
});

describe('diagnose', () => {
  it('joins the kind and the finding', () => {
    expect(diagnose('invalidImage', FINDING)).to.deep.equal({
      code: 'IOP206',
      severity: 'error',
      path: 'spec.hub',
      cause: 'it is wrong',
      remedy: 'Correct it.',
    });
  });

  it('keeps the position', () => {
    const position = { file: 'a.yaml', line: 2, column: 3 };

    expect(diagnose('invalidImage', { ...FINDING, position }).position).to.deep.equal(position);
  });
});

describe('distinct', () => {
  it('keeps the first of what is told twice of the same place', () => {
    const position = { file: 'a.yaml', line: 2, column: 3 };
    const placed = diagnose('invalidImage', { ...FINDING, position });
    const elsewhere = diagnose('invalidImage', { ...FINDING, path: ['spec', 'tag'] });
    const another = diagnose('invalidImage', { ...FINDING, cause: 'it is also too long' });

    const kept = distinct([placed, diagnose('invalidImage', FINDING), elsewhere, another]);

    expect(kept).to.deep.equal([placed, elsewhere, another]);
  });
});
