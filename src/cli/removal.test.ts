import { expect } from 'chai';
import { JumpingClock } from '../apply/testing/jumping-clock.ts';
import type { JsonObject } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { refOf } from '../model/object.ts';
import { CommandError } from './command-error.ts';
import { waitUntilAllGone } from './removal.ts';

function definition(reason: string): K8sObject {
  const terminating = { type: 'Terminating', status: 'True', reason, message: 'could not list instances' };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'sidecars.networking.istio.io', deletionTimestamp: 'T', finalizers: ['cleanup'] },
    status: { conditions: [terminating] },
  };
}

/** Waits for a definition that goes when its metadata is changed, or never. Gives what was changed, and how it ended. */
async function waitFor(
  live: K8sObject,
): Promise<{ readonly patches: readonly JsonObject[]; error: unknown }> {
  const patches: JsonObject[] = [];
  const cluster = {
    get: async () => (patches.length > 0 ? undefined : live),
    patchMetadata: async (_ref: unknown, metadata: JsonObject) => void patches.push(metadata),
  };
  const { signal } = new AbortController();
  const environment = { clock: new JumpingClock(), signal };
  const waiting = waitUntilAllGone(environment, { cluster }, [refOf(live)], { timeoutMs: 30_000 });
  const error: unknown = await waiting.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { patches, error };
}

describe('waitUntilAllGone', () => {
  it('reminds the API server of a definition that it has given up on', async () => {
    const { patches, error } = await waitFor(definition('InstanceDeletionFailed'));

    expect(error).to.equal(undefined);
    expect(patches).to.have.length(1);
    expect(Object.keys(patches[0] ?? {})).to.deep.equal(['annotations']);
  });

  it('leaves one alone on which it works, and says in the end why it is not gone', async () => {
    const { patches, error } = await waitFor(definition('InstanceDeletionInProgress'));

    expect(patches).to.deep.equal([]);
    expect(error).to.be.instanceOf(CommandError);
    expect(String(error)).to.include('sidecars.networking.istio.io').and.include('could not list instances');
  });
});
