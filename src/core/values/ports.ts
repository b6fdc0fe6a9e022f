/** Ports in network policies. */
import type { JsonArray } from '../../model/json.ts';

export function tcpPorts(ports: readonly number[]): JsonArray {
  return ports.map((port) => ({ protocol: 'TCP', port }));
}
