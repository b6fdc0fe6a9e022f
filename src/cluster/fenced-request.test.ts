import { getEventListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { MockAgent } from 'undici';
import type { Dispatcher } from 'undici';
import type { Fencing } from './fenced-request.ts';
import { requestFenced } from './fenced-request.ts';

const OPTIONS = { origin: 'http://a', path: '/things', method: 'PATCH' } as const;

describe('requestFenced', () => {
  let pool: MockAgent;
  let sent: Promise<void>[];
  let caller: AbortController;
  let limit: AbortController;
  const request = async (fencing: Partial<Fencing> = {}): Promise<Dispatcher.ResponseData> =>
    requestFenced(pool, OPTIONS, {
      mayBeSent: () => true,
      whyNot: () => new Error('no lease'),
      caller: caller.signal,
      limit: limit.signal,
      sent: (landed) => void sent.push(landed),
      ...fencing,
    });
  const answerSoon = (): void => {
    pool
      .get('http://a')
      .intercept({ path: '/things', method: 'PATCH' })
      .reply(201, 'made', { headers: { name: 'value' } })
      .delay(1);
  };

  beforeEach(() => {
    pool = new MockAgent();
    pool.disableNetConnect();
    sent = [];
    caller = new AbortController();
    limit = new AbortController();
  });

  afterEach(async () => pool.close());

  it('hands on the answer, with its head and its body', async () => {
    answerSoon();

    const answer = await request();

    expect([answer.statusCode, answer.headers['name'], await answer.body.text()]).to.deep.equal([
      201,
      'value',
      'made',
    ]);
    await Promise.all(sent);
    expect(sent).to.have.length(1);
  });

  it('listens to its caller no longer than until the answer was read', async () => {
    answerSoon();

    const answer = await request();
    const whileReading = getEventListeners(caller.signal, 'abort').length;
    await answer.body.text();
    await setImmediate();

    expect([whileReading, getEventListeners(caller.signal, 'abort').length]).to.deep.equal([1, 0]);
  });

  it('fails with the reason of what may not be sent any more, and tells its end', async () => {
    answerSoon();

    const failure: unknown = await request({ mayBeSent: () => false }).catch((error: unknown) => error);

    expect(failure).to.include({ message: 'no lease' });
    await Promise.all(sent);
  });

  it('lets the caller go at once with the reason of its signal', async () => {
    answerSoon();
    const answer = request();

    caller.abort(new Error('enough'));

    expect(await answer.catch((error: unknown) => error)).to.include({ message: 'enough' });
    await Promise.all(sent);
  });
});
