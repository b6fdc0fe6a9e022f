/** The planning thread: plans what the operator sends it. The operator ends it when that takes too much. */
import { parentPort } from 'node:worker_threads';
import { loadAssets } from './assets/load.ts';
import { createPlanner } from './core/plan.ts';
import type { PlanReply, PlanRequest } from './planner/plan-message.ts';
import { packResult, unpackInput } from './planner/plan-message.ts';

if (parentPort === null) throw new Error('this module is the entry of a thread, not of a program');
const operator = parentPort;
const assets = await loadAssets();
const planner = createPlanner(assets);

operator.on('message', ({ input }: PlanRequest) => tell(replyTo(input)));
tell({ kind: 'ready' });

function replyTo(input: string): PlanReply {
  try {
    return packResult(planner(unpackInput(input)), assets);
  } catch (error) {
    // The only RangeError that reading and merging trees can meet: the stack is full.
    if (error instanceof RangeError) return { kind: 'exceeded', limit: 'stack' };
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

function tell(reply: PlanReply): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  operator.postMessage(reply);
}
