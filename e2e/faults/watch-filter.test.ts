import { expect } from 'chai';
import { judgedLine, readEvent } from './watch-filter.ts';

const LINE = '{"type":"ADDED","object":{"kind":"Service"}}';

describe('judgedLine', () => {
  it('lets a line through whole, or nothing of it', () => {
    expect(judgedLine(LINE, 'pass')).to.deep.equal({ text: `${LINE}\n`, ending: 'open' });
    expect(judgedLine(LINE, 'drop')).to.deep.equal({ text: '', ending: 'open' });
  });

  it('puts the error for an outdated version in its place, as the API server words it', () => {
    const { text, ending } = judgedLine(LINE, 'gone');

    expect([readEvent(text).type, readEvent(text).object['code'], ending]).to.deep.equal([
      'ERROR',
      410,
      'end',
    ]);
  });

  it('breaks off in the middle of a line', () => {
    const { text, ending } = judgedLine(LINE, 'half');

    expect([LINE.startsWith(text), readEvent(text).type, ending]).to.deep.equal([true, '', 'break']);
  });
});
