/**
 * `npm run pictures:dashboards`: draws docs/pictures/dashboard-*.svg. A small mesh's half hour is put into the storage
 * of a real Prometheus, which then answers the dashboards' own queries; the same run gives the same pictures.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { filledQuery } from '../e2e/addons/dashboard-queries.ts';
import { CHOICES, CONTAINERS, printLabels, STORY_NAMESPACE, TARGETS } from '../e2e/addons/mesh-story.ts';
import type { Labels, Series } from '../e2e/addons/mesh-story.ts';
import { prometheusPrograms } from '../e2e/addons/prometheus-programs.ts';
import type { PrometheusPrograms } from '../e2e/addons/prometheus-programs.ts';
import { startPrometheus } from '../e2e/addons/prometheus-server.ts';
import type { PrometheusServer } from '../e2e/addons/prometheus-server.ts';
import { findFreePort } from '../e2e/control-plane/free-port.ts';
import { DASHBOARDS } from './dashboards.ts';
import type { Dashboard, Panel } from './dashboards.ts';
import { drawDashboard } from './dashboard-pictures/drawing.ts';
import type { Line, PanelPicture } from './dashboard-pictures/drawing.ts';

const PICTURES = fileURLToPath(new URL('../docs/pictures/', import.meta.url));

const SCRAPE_SECONDS = 15;
/** Four scrapes, as Grafana has it. */
const RATE_INTERVAL = '1m';
/** The half hour that is shown, and what rates need of the time before it. */
const END = Date.UTC(2026, 0, 15, 12) / 1000;
const START = END - 1800;
const RECORDED_FROM = START - 120;
const STEP = 30;

const search = await prometheusPrograms();
if (search.kind === 'missing') throw new Error(`Prometheus cannot be built: ${search.reason}`);
const folder = await mkdtemp(join(tmpdir(), 'dashboard-pictures-'));
try {
  await recordStory(search.programs, folder);
  const port = await findFreePort();
  const prometheus = await startPrometheus({ program: search.programs.prometheus, folder, port });
  try {
    await drawAll(prometheus);
  } finally {
    await prometheus.stop();
  }
} finally {
  await rm(folder, { recursive: true });
}

async function recordStory({ promtool }: PrometheusPrograms, directory: string): Promise<void> {
  const scraped = TARGETS.flatMap(({ job, pod, podLabels, series }) =>
    series.flatMap((one) => samples(one, { ...podLabels, namespace: STORY_NAMESPACE, pod, job })),
  );
  const containers = CONTAINERS.flatMap((one) => samples(one, { job: 'kubernetes-cadvisor' }));
  const file = join(directory, 'story.txt');
  await writeFile(file, [...scraped, ...containers, '# EOF\n'].join(''));
  await writeFile(join(directory, 'prometheus.yml'), 'scrape_configs: []\n');
  const data = join(directory, 'data');
  await promisify(execFile)(promtool, ['tsdb', 'create-blocks-from', 'openmetrics', file, data]);
}

/** What scrapes would have stored. Where both have a label, it is honoured as reported. */
function samples({ name, labels, value }: Series, target: Labels): readonly string[] {
  const known = Object.entries(target).map(
    ([label, text]) => [label.replaceAll(/[^\w]/gu, '_'), text] as const,
  );
  const printed = `${name}${printLabels({ ...Object.fromEntries(known), ...labels })}`;
  const count = (END - RECORDED_FROM) / SCRAPE_SECONDS + 1;
  return Array.from({ length: count }, (_, index) => {
    const seconds = index * SCRAPE_SECONDS;
    return `${printed} ${value(seconds)} ${RECORDED_FROM + seconds}\n`;
  });
}

async function drawAll(prometheus: PrometheusServer): Promise<void> {
  await mkdir(PICTURES, { recursive: true });
  for (const [key, dashboard] of Object.entries(DASHBOARDS)) {
    const panels = await Promise.all(dashboard.panels.map(async (panel) => pictured(prometheus, panel)));
    const { title } = dashboard;
    const file = `dashboard-${key}.svg`;
    const drawing = drawDashboard({ title, choices: choicesOf(dashboard), panels, start: START, end: END });
    await writeFile(join(PICTURES, file), drawing);
    console.log(`docs/pictures/${file}: ${panels.length} panels`);
  }
}

function choicesOf({ variables = {} }: Dashboard): string {
  return Object.keys(variables)
    .map((name) => `${name}: ${CHOICES[name]}`)
    .join(' · ');
}

async function pictured(prometheus: PrometheusServer, panel: Panel): Promise<PanelPicture> {
  const lines = await Promise.all(
    Object.entries(panel.queries).map(async ([legend, query]): Promise<readonly Line[]> => {
      const range = { start: START, end: END, step: STEP };
      const answers = await prometheus.queryRange(filledQuery(query, RATE_INTERVAL), range);
      return answers.map(({ labels, points }) => ({ legend: filledLegend(legend, labels), points }));
    }),
  );
  return { title: panel.title, unit: panel.unit, lines: lines.flat() };
}

function filledLegend(legend: string, labels: Labels): string {
  return legend.replaceAll(/\{\{(\w+)\}\}/gu, (_, label: string) => labels[label] ?? '');
}
