/**
 * `npm run test:e2e [-- MOCHA-ARGUMENT...]`: the end-to-end suites in two lanes side by side, each with a control plane of
 * its own, because most of them wait more than they work. With arguments, only what they name is run and built, in one
 * lane.
 */
import { prepare } from '../e2e/prepare.ts';
import { runLanes } from './lanes.ts';

const CONFIG = ['--config', '.mocharc.e2e.json'] as const;
const LANES: readonly (readonly string[])[] = [['e2e/!(faults)/**/*.e2e.ts'], ['e2e/faults/*.e2e.ts']];

const args = process.argv.slice(2);
const isWhole = args.length === 0;
// A single suite builds by itself what it needs.
if (isWhole) await prepare();
const hasPassed = await runLanes((isWhole ? LANES : [args]).map((lane) => [...CONFIG, ...lane]));
process.exitCode = hasPassed ? 0 : 1;
