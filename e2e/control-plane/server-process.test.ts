import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { identifyProcess } from './process-identity.ts';
import { endServer, startServer } from './server-process.ts';
import type { ServerCommand } from './server-process.ts';
import { PROCESSES_TIMEOUT_MS, useTemporaryFolder } from './test-support.ts';

function shell(script: string): ServerCommand {
  return { program: 'etcd', path: '/bin/sh', args: ['-c', script] };
}

const IGNORES_SIGTERM = `trap '' TERM; echo ready; while :; do sleep 0.05; done`;

describe('startServer', function () {
  this.timeout(PROCESSES_TIMEOUT_MS);
  const folder = useTemporaryFolder();

  it('keeps what the server says and tells how it ended', async () => {
    const server = await startServer(shell('echo to-stdout; echo to-stderr >&2; exit 3'), folder());

    await server.ended;

    expect(server.end()).to.equal('exit code 3');
    expect(server.lastLines()).to.equal('to-stdout\nto-stderr');
    expect(readFileSync(`${folder()}/etcd.log`, 'utf8')).to.equal('to-stdout\nto-stderr\n');
  });

  it('keeps settings of the user away from the server', async () => {
    const server = await startServer(
      shell('env | cut -d= -f1 | grep -vE "^(_|PWD|SHLVL|OLDPWD)$" | sort'),
      folder(),
    );

    await server.ended;

    expect(server.lastLines()).to.equal('HOME\nPATH');
  });

  it('says which program can not be run', async () => {
    const absent: ServerCommand = { program: 'etcd', path: '/nowhere/etcd', args: [] };

    const failure: unknown = await startServer(absent, folder()).catch((error: unknown) => error);

    expect(failure).to.have.property('message', "/nowhere/etcd can't be run");
    expect(failure).to.have.nested.property('cause.code', 'ENOENT');
  });

  it('makes the server the leader of its own group, out of reach of Ctrl-C', async () => {
    const server = await startServer(shell('sleep 60'), folder());

    const groupOf = readFileSync(`/proc/${server.identity.pid}/stat`, 'utf8').split(' ')[4];
    await endServer(server, 'SIGKILL', 0);

    expect(groupOf).to.equal(String(server.identity.pid));
  });
});

describe('endServer', function () {
  this.timeout(PROCESSES_TIMEOUT_MS);
  const folder = useTemporaryFolder();

  it('lets the server end by itself within the time of grace', async () => {
    const server = await startServer(shell('sleep 60'), folder());

    await endServer(server, 'SIGTERM', PROCESSES_TIMEOUT_MS);

    expect(server.end()).to.equal('signal SIGTERM');
  });

  it('kills a server that does not end in time', async () => {
    const server = await startServer(shell(IGNORES_SIGTERM), folder());
    while (server.end() === undefined && server.lastLines() !== 'ready') await new Promise(setImmediate);

    await endServer(server, 'SIGTERM', 10);

    expect(server.end()).to.equal('signal SIGKILL');
    expect(identifyProcess(server.identity.pid)).to.equal(undefined);
  });
});
