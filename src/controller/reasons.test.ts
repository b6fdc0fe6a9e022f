import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { CONDITION_REASONS, EVENT_REASONS } from './reasons.ts';

const PAGE = readFileSync(new URL('../../docs/conditions.md', import.meta.url), 'utf8');

/** The first two columns of each row of a table in a section of the page. */
function rowsOf(section: string): Record<string, string> {
  const [, text = ''] = PAGE.split(`\n## ${section}\n`);
  const [body = ''] = text.split('\n## ');
  const rows = [...body.matchAll(/^\| `(\w+)` *\| (.+?) *\|/gm)];
  return Object.fromEntries(rows.map(([, reason = '', meaning = '']) => [reason, meaning]));
}

describe('docs/conditions.md', () => {
  it('explains every reason of a condition, and no other', () => {
    expect(rowsOf('Reasons of conditions')).to.deep.equal(CONDITION_REASONS);
  });

  it('explains every reason of an event, and no other', () => {
    expect(rowsOf('Events')).to.deep.equal(EVENT_REASONS);
  });
});
