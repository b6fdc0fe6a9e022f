import { chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { goBuildSource } from './go-build.ts';
import {
  PROCESSES_TIMEOUT_MS,
  impatientClock,
  recordedProgress,
  useTemporaryFolder,
} from './test-support.ts';

/** Takes the place of the Go command: notes how it is called, fails for kwok, makes a file for everything else. */
const FAKE_GO = `#!/bin/sh
[ "$1" = version ] && exit 0
echo "CGO_ENABLED=$CGO_ENABLED GOWORK=$GOWORK" "$(basename "$PWD")" "$@" >> "$(dirname "$0")/calls"
case "$*" in *cmd/kwok) echo 'missing go.sum entry' >&2; exit 1 ;; esac
while [ "$1" != -o ]; do shift; done
echo program > "$2"
`;

describe('goBuildSource', function () {
  this.timeout(PROCESSES_TIMEOUT_MS);
  const tools = useTemporaryFolder();
  const target = useTemporaryFolder();
  const reporting = () => ({ clock: impatientClock(), progress: recordedProgress() });

  function fakeGo(): string {
    const path = join(tools(), 'go');
    writeFileSync(path, FAKE_GO);
    chmodSync(path, 0o755);
    return path;
  }

  it('installs what compiles, and tells what the compiler said about the rest', async () => {
    const source = goBuildSource({ ...reporting(), go: fakeGo() });

    const shortfalls = await source.install(['etcd', 'kwok', 'kube-scheduler'], target());

    expect(readdirSync(target()).toSorted()).to.deep.equal(['etcd', 'kube-scheduler']);
    expect(shortfalls).to.deep.equal([
      { program: 'kwok', reason: `${tools()}/go build failed:\nmissing go.sum entry` },
    ]);
  });

  it('compiles exactly what the module of the project pins, with the version in it', async () => {
    const source = goBuildSource({ ...reporting(), go: fakeGo() });

    await source.install(['kube-apiserver'], target());

    const [call = ''] = readFileSync(join(tools(), 'calls'), 'utf8').split('\n');
    expect(call).to.match(/^CGO_ENABLED=0 GOWORK=off kubernetes build -mod=readonly /);
    expect(call).to.include('-X k8s.io/component-base/version.gitVersion=v1.34.4');
    expect(call).to.include('-X k8s.io/component-base/version.gitMinor=34');
    expect(call).to.match(/ k8s\.io\/kubernetes\/cmd\/kube-apiserver$/);
  });

  it('provides nothing where Go is not installed', async () => {
    const source = goBuildSource({ ...reporting(), go: '/nowhere/go' });

    const shortfalls = await source.install(['etcd', 'kwok'], target());

    expect(shortfalls.map(({ program }) => program)).to.deep.equal(['etcd', 'kwok']);
    expect(shortfalls[0]?.reason).to.equal("/nowhere/go can't be run (spawn /nowhere/go ENOENT)");
  });
});
