import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { createMetrics } from '../src/controller/metrics.ts';
import { DASHBOARDS } from './dashboards.ts';

describe('the dashboards', () => {
  it('of the operator ask for nothing that it does not report', async () => {
    const reported = await createMetrics(() => 1).text();
    const known = new Set([...reported.matchAll(/^# TYPE (\w+)/gmu)].map(([, name]) => name));
    const queries = DASHBOARDS['operator']?.panels.flatMap((panel) => Object.values(panel.queries)) ?? [];

    const asked = queries.flatMap((query) =>
      [...query.matchAll(/\b(\w+_\w+)(?=[{[)])/gu)].map(([, name = '']) => name.replace(/_bucket$/u, '')),
    );

    const names = asked.filter((name) => !['histogram_quantile'].includes(name));
    expect(names).not.to.deep.equal([]);
    expect(names.filter((name) => !known.has(name))).to.deep.equal([]);
  });

  it('have a picture each in the documentation, with all their panels', async () => {
    for (const [key, { title, panels }] of Object.entries(DASHBOARDS)) {
      const picture = await readFile(
        new URL(`../docs/pictures/dashboard-${key}.svg`, import.meta.url),
        'utf8',
      );
      for (const text of [title, ...panels.map((panel) => panel.title)])
        expect(picture, key).to.contain(`>${text}</text>`);
    }
  });
});
