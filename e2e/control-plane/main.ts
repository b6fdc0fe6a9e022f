/** `node e2e/control-plane/main.ts [--audit]`: a control plane to try things on, until Ctrl-C. */
import { parseArgs } from 'node:util';
import { startControlPlane } from './control-plane.ts';

const { values } = parseArgs({ options: { audit: { type: 'boolean', default: false } } });
const plane = await startControlPlane({ audit: values.audit, verbose: true }).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});

const stop = (): void => void plane.stop();
process.once('SIGINT', stop).once('SIGTERM', stop);

// Only this goes to standard output, so that a shell can evaluate it.
process.stdout.write(`export KUBECONFIG=${plane.kubeconfigPath}\n`);
if (plane.auditLogPath !== undefined) process.stderr.write(`audit log: ${plane.auditLogPath}\n`);
process.stderr.write('Ctrl-C ends it.\n');
