import { expect } from 'chai';
import { measureProgram } from './command.ts';

describe('measureProgram', () => {
  it('sees the memory that a program holds at its peak', async () => {
    const allocation = 'globalThis.block = Buffer.alloc(150 * 2 ** 20, 1);';

    const cost = await measureProgram(['--eval', allocation], 1);

    expect(cost.maxRssMib).to.be.within(150, 1024);
    expect(cost.wallMs).to.be.greaterThan(0);
  });

  it('rejects when the program fails', async () => {
    const failure = await measureProgram(['--eval', 'process.exitCode = 3'], 1).catch(String);

    expect(failure).to.equal('Error: node --eval process.exitCode = 3 ended with code 3');
  });
});
