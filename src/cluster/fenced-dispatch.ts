/** Keeps a write back at the last moment at which that can be done. */
import type { Dispatcher } from 'undici';

/**
 * Sends through `pool` what may still be sent when its turn comes: a request waits for a free connection, and this process
 * may have been stopped or busy meanwhile, and somebody else lead. What may not be is aborted with `whyNot`, and none of
 * it is written.
 */
export function fencedDispatch(
  pool: Dispatcher,
  mayBeSent: () => boolean,
  whyNot: () => Error,
): Pick<Dispatcher, 'request' | 'dispatch'> {
  return pool.compose((dispatch) => (options, handler) => {
    const lastLook: Dispatcher.DispatchHandler = {
      /** Called when the connection is there, right before the first byte is written. */
      onRequestStart: (controller, context) => {
        handler.onRequestStart?.(controller, context);
        if (!mayBeSent()) controller.abort(whyNot());
      },
      onResponseStart: (...args) => handler.onResponseStart?.(...args),
      onResponseData: (...args) => handler.onResponseData?.(...args),
      onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
      onResponseError: (...args) => handler.onResponseError?.(...args),
    };
    return dispatch(options, lastLook);
  });
}
