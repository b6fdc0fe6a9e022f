/** A thread that plans, one specification after the other, and that can be ended when one takes too much. */
import { Worker } from 'node:worker_threads';
import type { PlanReply, PlanRequest } from './plan-message.ts';

export interface ThreadSettings {
  /** The module of the thread. */
  readonly module: URL;
  /** How long one specification may take, from when the thread begins with it. */
  readonly deadlineMs: number;
  /** How large the heap of the thread may become. */
  readonly heapMiB: number;
  /** How long an idle thread is kept: it holds templates and schemas a second time. */
  readonly idleMs: number;
}

export type ThreadOutcome = Extract<PlanReply, { readonly kind: 'planned' | 'tooLarge' | 'exceeded' }>;

/** How long loading may take; a machine that needs longer is out of order. */
const START_MS = 30_000;

/**
 * The thread is made with the first request and again after it was ended. Requests wait for each other, so one that takes
 * too long delays others by no more than the deadline and a new start.
 */
export class PlanThread {
  readonly #settings: ThreadSettings;
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(settings: ThreadSettings) {
    this.#settings = settings;
  }

  /** Rejects when the thread cannot be made, or when planning threw: both are faults of ours. */
  async plan(request: PlanRequest): Promise<ThreadOutcome> {
    const planned = this.#last.then(async () => this.#plan(request));
    this.#last = planned.catch(() => undefined);
    return planned;
  }

  /** Ends the thread; a request makes a new one. */
  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  async #plan(request: PlanRequest): Promise<ThreadOutcome> {
    clearTimeout(this.#idle);
    const worker = this.#worker ?? (await this.#start());
    const reply = nextReply(worker, this.#settings.deadlineMs);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    worker.postMessage(request);
    const outcome = await reply;
    if (outcome.kind === 'exceeded') await this.close();
    else this.#idle = setTimeout(() => void this.close(), this.#settings.idleMs).unref();
    if (outcome.kind === 'failed') throw new Error(outcome.message);
    if (outcome.kind === 'ready') throw new Error('the planning thread began anew by itself');
    return outcome;
  }

  async #start(): Promise<Worker> {
    const { module, heapMiB } = this.#settings;
    const worker = new Worker(module, {
      // A heap that is full ends the thread, not the process. Young objects count apart.
      resourceLimits: { maxOldGenerationSizeMb: heapMiB, maxYoungGenerationSizeMb: 8, stackSizeMb: 4 },
    });
    worker.unref();
    // Whoever waits has a listener of his own; without this one, an error between two requests would end the process.
    worker.on('error', () => undefined);
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
    });
    const first = await nextReply(worker, START_MS);
    if (first.kind !== 'ready')
      throw new Error(`the planning thread does not start: ${JSON.stringify(first)}`);
    this.#worker = worker;
    return worker;
  }
}

/** What comes first: a message, an end, or the deadline. The thread holds the process only while it is waited for. */
async function nextReply(worker: Worker, deadlineMs: number): Promise<PlanReply> {
  const { promise, resolve, reject } = Promise.withResolvers<PlanReply>();
  const timer = setTimeout(() => resolve({ kind: 'exceeded', limit: 'time' }), deadlineMs);
  const onError = (error: unknown): void => {
    if (isOutOfMemory(error)) resolve({ kind: 'exceeded', limit: 'memory' });
    else reject(error instanceof Error ? error : new Error(String(error)));
  };
  const onExit = (code: number): void => reject(new Error(`the planning thread ended with code ${code}`));
  worker.once('message', resolve);
  worker.once('error', onError);
  worker.once('exit', onExit);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    worker.off('message', resolve);
    worker.off('error', onError);
    worker.off('exit', onExit);
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}
