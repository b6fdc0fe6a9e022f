/** Keeps a write back at the last moment at which that can be done, and follows one that was sent to its end. */
import { addAbortListener } from 'node:events';
import type { Dispatcher } from 'undici';

export interface Fencing {
  mayBeSent(): boolean;
  /** What a write fails with that may not be sent. */
  whyNot(): Error;
  /** Aborted when the caller waits no longer. */
  readonly caller: AbortSignal;
  /** Aborted when nobody may wait any longer. */
  readonly limit: AbortSignal;
  /** Told of each write; resolves when it was answered, failed, or will never be sent. */
  sent(landed: Promise<void>): void;
}

/**
 * Sends through `pool` what may still be sent when its turn comes: a request waits for a free connection, and this process
 * may have been stopped or busy meanwhile, and somebody else lead. Of what may not be, nothing is written.
 *
 * A caller that gives up is let go at once, with the reason of its signal, but what was sent stays on its way: to cut
 * the connection does not keep the server from doing it, and would leave nobody who knows when it is done.
 */
export async function requestFenced(
  pool: Dispatcher,
  options: Dispatcher.RequestOptions,
  fencing: Fencing,
): Promise<Dispatcher.ResponseData> {
  const { caller, limit } = fencing;
  const answer = withLastLook(pool, fencing).request({ ...options, signal: limit });
  fencing.sent(answer.then(nothing, nothing));
  const { body, ...head } = await orLetGo(answer, caller);
  const stop = addAbortListener(caller, () => void body.destroy());
  body.once('close', () => stop[Symbol.dispose]());
  return { ...head, body };
}

function withLastLook(pool: Dispatcher, fencing: Fencing): Pick<Dispatcher, 'request'> {
  return pool.compose((dispatch) => (options, handler) => {
    // Stryker disable OptionalChaining: the handler of a request has all of these.
    const lastLook: Dispatcher.DispatchHandler = {
      /** Called when the connection is there, right before the first byte is written. */
      onRequestStart: (controller, context) => {
        handler.onRequestStart?.(controller, context);
        if (fencing.caller.aborted || !fencing.mayBeSent()) controller.abort(fencing.whyNot());
      },
      onResponseStart: (...args) => handler.onResponseStart?.(...args),
      onResponseData: (...args) => handler.onResponseData?.(...args),
      onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
      onResponseError: (...args) => handler.onResponseError?.(...args),
    };
    // Stryker restore OptionalChaining
    return dispatch(options, lastLook);
  });
}

async function orLetGo(
  answer: Promise<Dispatcher.ResponseData>,
  caller: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const letGo = Promise.withResolvers<never>();
  const waiting = addAbortListener(caller, () => letGo.reject(caller.reason));
  try {
    return await Promise.race([answer, letGo.promise]);
  } catch (error) {
    // Nobody reads it any more, and its connection can serve others once it was read.
    void answer.then(async ({ body }) => body.dump()).catch(nothing);
    throw error;
  } finally {
    waiting[Symbol.dispose]();
  }
}

function nothing(): void {
  // What comes of a request is told to who made it.
}
