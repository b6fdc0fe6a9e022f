import { expect } from 'chai';
import { Dispatcher } from 'undici';
import { fencedDispatch } from './fenced-dispatch.ts';

/** Answers each request at once, in the steps of a connection. */
class ScriptedPool extends Dispatcher {
  aborted: Error | undefined;
  readonly #controller: Dispatcher.DispatchController = {
    aborted: false,
    paused: false,
    reason: null,
    abort: (reason) => {
      this.aborted = reason;
    },
    pause: () => undefined,
    resume: () => undefined,
  };

  override dispatch(_options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    handler.onRequestStart?.(this.#controller, 'context');
    handler.onResponseStart?.(this.#controller, 200, { a: 'b' }, 'OK');
    handler.onResponseData?.(this.#controller, Buffer.from('data'));
    handler.onResponseEnd?.(this.#controller, { trailer: 'c' });
    handler.onResponseError?.(this.#controller, new Error('late'));
    return true;
  }
}

const OPTIONS: Dispatcher.DispatchOptions = { origin: 'http://a', path: '/', method: 'PATCH' };

describe('fencedDispatch', () => {
  let pool: ScriptedPool;
  let isOpen: boolean;
  const dispatch = (handler: Dispatcher.DispatchHandler): boolean =>
    fencedDispatch(
      pool,
      () => isOpen,
      () => new Error('no lease'),
    ).dispatch(OPTIONS, handler);

  beforeEach(() => {
    pool = new ScriptedPool();
    isOpen = true;
  });

  it('hands on every step of a request and its answer', () => {
    const steps: unknown[][] = [];
    const isTaken = dispatch({
      onRequestStart: (_controller, context) => void steps.push(['start', context]),
      onResponseStart: (_controller, ...head) => void steps.push(['head', ...head]),
      onResponseData: (_controller, chunk) => void steps.push(['data', chunk.toString()]),
      onResponseEnd: (_controller, trailers) => void steps.push(['end', trailers]),
      onResponseError: (_controller, error) => void steps.push(['error', error.message]),
    });

    expect(isTaken).to.equal(true);
    expect(pool.aborted).to.equal(undefined);
    expect(steps).to.deep.equal([
      ['start', 'context'],
      ['head', 200, { a: 'b' }, 'OK'],
      ['data', 'data'],
      ['end', { trailer: 'c' }],
      ['error', 'late'],
    ]);
  });

  it('aborts what may not be sent any more, with the reason', () => {
    isOpen = false;

    dispatch({ onResponseError: () => undefined });

    expect(pool.aborted?.message).to.equal('no lease');
  });

  it('serves a caller that is interested in nothing', () => {
    expect(dispatch({})).to.equal(true);
  });
});
