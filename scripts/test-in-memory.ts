/** The suites that need no control plane, side by side: each works one processor. */
import { runLanes } from './lanes.ts';

const hasPassed = await runLanes([[], ['--config', '.mocharc.conformance.json']]);
process.exitCode = hasPassed ? 0 : 1;
