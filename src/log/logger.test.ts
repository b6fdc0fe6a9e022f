import { Writable } from 'node:stream';
import { expect } from 'chai';
import type { LogLevel } from './logger.ts';
import { NO_LOGGER, createLogger } from './logger.ts';

/** The lines that a logger writes, parsed. */
function linesOf(
  level: LogLevel,
  write: (logger: ReturnType<typeof createLogger>) => void,
): readonly unknown[] {
  const lines: string[] = [];
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(...chunk.toString('utf8').trimEnd().split('\n'));
      done();
    },
  });
  write(createLogger({ level, output, fields: { pod: 'p' } }));
  return lines.map((line): unknown => JSON.parse(line));
}

describe('createLogger', () => {
  it('writes one JSON object a line: time, level, message, then fields', () => {
    const [line] = linesOf('info', (logger) => logger.info('reconciled', { key: 'n/a', tookMs: 3 }));

    expect(line).to.deep.include({ level: 'info', message: 'reconciled', pod: 'p', key: 'n/a', tookMs: 3 });
    expect(Object.keys(line as object).slice(0, 3)).to.deep.equal(['time', 'level', 'message']);
    expect((line as { time: string }).time).to.match(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it('leaves out what is less severe than the level', () => {
    const lines = linesOf('warn', (logger) => {
      logger.debug('d');
      logger.info('i');
      logger.warn('w');
      logger.error('e');
    });

    expect(lines.map((line) => (line as { message: string }).message)).to.deep.equal(['w', 'e']);
  });

  it('writes no secrets', () => {
    const [line] = linesOf('info', (logger) =>
      logger.info('m', { token: 'CANARY', error: new Error('Bearer CANARY-123') }),
    );

    expect(JSON.stringify(line)).to.not.contain('CANARY');
  });

  it('lets no field overwrite time, level or message', () => {
    const [line] = linesOf('info', (logger) =>
      logger.info('real', { level: 'fake', message: 'fake', time: 'fake' }),
    );

    expect(line).to.deep.include({ level: 'info', message: 'real' });
    expect((line as { time: string }).time).to.not.equal('fake');
  });
});

describe('NO_LOGGER', () => {
  it('takes everything and says nothing', () => {
    expect(() => {
      NO_LOGGER.debug('d');
      NO_LOGGER.info('i');
      NO_LOGGER.warn('w');
      NO_LOGGER.error('e', { error: new Error('x') });
    }).to.not.throw();
  });
});
