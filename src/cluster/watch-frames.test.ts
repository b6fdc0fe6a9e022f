import { expect } from 'chai';
import { GarbledFrame, framesOf } from './watch-frames.ts';

async function* chunksOf(...chunks: readonly string[]): AsyncGenerator<string> {
  yield* chunks;
}

async function framesFrom(...chunks: readonly string[]): Promise<readonly string[]> {
  const frames: string[] = [];
  for await (const frame of framesOf(chunksOf(...chunks)))
    frames.push(`${frame.type} ${JSON.stringify(frame.object)}`);
  return frames;
}

const LINE = '{"type":"ADDED","object":{"a":1}}\n';

describe('framesOf', () => {
  it('puts frames together however they were split', async () => {
    const frames = await framesFrom(LINE.slice(0, 5), LINE.slice(5, 20), `${LINE.slice(20)}${LINE}\n`, LINE);

    expect(frames).to.deep.equal(Array.from({ length: 3 }, () => 'ADDED {"a":1}'));
  });

  it('drops a line that was cut off', async () => {
    expect(await framesFrom(LINE, LINE.slice(0, 20))).to.deep.equal(['ADDED {"a":1}']);
  });

  for (const line of [
    'nonsense',
    '[]',
    '{"type":"ADDED"}',
    '{"type":"OTHER","object":{}}',
    '{"object":{}}',
  ]) {
    it(`fails on the whole line ${line}, because an event is lost`, async () => {
      const failure = await framesFrom(LINE, `${line}\n`).catch((error: unknown) => error);

      expect(failure).to.be.instanceOf(GarbledFrame);
    });
  }
});
