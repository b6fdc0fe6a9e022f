/** Every state that an observer of IstioOperators could have seen, from a watch of the tests' own. */
import { Agent, request } from 'undici';
import type { K8sObject } from '../../src/model/object.ts';
import { isK8sObject } from '../../src/model/object.ts';
import { at } from '../../src/model/json.ts';
import type { JsonValue } from '../../src/model/json.ts';
import type { ControlPlane } from '../control-plane/control-plane.ts';

export interface StateRecorder {
  /** In the order in which they were stored; deletions are not among them. */
  readonly states: readonly K8sObject[];
  stop(): Promise<void>;
}

/** Records what is stored in a namespace from now on. Rejects when the watch cannot be opened. */
export async function recordStates(plane: ControlPlane, namespace: string): Promise<StateRecorder> {
  const dispatcher = new Agent({ connect: { ca: plane.certificateAuthority }, bodyTimeout: 0 });
  const path = `/apis/install.istio.io/v1alpha1/namespaces/${namespace}/istiooperators?watch=true`;
  const { statusCode, body } = await request(`${plane.server}${path}`, {
    dispatcher,
    headers: { authorization: `Bearer ${plane.adminToken}` },
  });
  if (statusCode !== 200) throw new Error(`the watch was answered with ${statusCode}`);
  const states: K8sObject[] = [];
  const reading = readStates(body, states).catch(() => undefined); // cut off by `stop`
  return {
    states,
    stop: async () => {
      await dispatcher.destroy();
      await reading;
    },
  };
}

async function readStates(body: AsyncIterable<Buffer>, states: K8sObject[]): Promise<void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n');
    rest = lines.pop() ?? '';
    states.push(...lines.flatMap(storedObject));
  }
}

function storedObject(line: string): readonly K8sObject[] {
  const event = JSON.parse(line) as JsonValue; // what JSON.parse returns is a JsonValue by definition
  const object = at(event, 'object');
  const isStored = at(event, 'type') === 'ADDED' || at(event, 'type') === 'MODIFIED';
  return isStored && isK8sObject(object) ? [object] : [];
}
