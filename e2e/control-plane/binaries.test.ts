import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { findBinaries, standardSearch } from './binaries.ts';
import type { BinarySearch } from './binaries.ts';
import type { BinarySource } from './binary-source.ts';
import { PROGRAM_NAMES } from './programs.ts';
import type { Program } from './programs.ts';
import { impatientClock, recordedProgress, useTemporaryFolder } from './test-support.ts';

interface FakeSource extends BinarySource {
  /** What it was asked for, call by call. */
  readonly asked: (readonly Program[])[];
}

/** A source that has these programs and no others. */
function sourceOf(name: string, programs: readonly Program[]): FakeSource {
  const asked: (readonly Program[])[] = [];
  return {
    name,
    asked,
    install: async (missing, folder) => {
      asked.push(missing);
      await new Promise(setImmediate);
      putPrograms(
        folder,
        missing.filter((program) => programs.includes(program)),
      );
      const absent = missing.filter((program) => !programs.includes(program));
      return absent.map((program) => ({ program, reason: `${name} has none` }));
    },
  };
}

function putPrograms(folder: string, programs: readonly Program[]): void {
  mkdirSync(folder, { recursive: true });
  for (const program of programs) writeFileSync(join(folder, program), '', { mode: 0o755 });
}

describe('findBinaries', () => {
  const root = useTemporaryFolder();
  const assetsFolder = (): string => join(root(), 'assets');
  const cacheFolder = (): string => join(root(), 'cache');

  function search(parts: Partial<BinarySearch> = {}): BinarySearch {
    const reporting = { clock: impatientClock(), progress: recordedProgress() };
    return { ...reporting, cacheFolder: cacheFolder(), sources: [], ...parts };
  }

  it('prefers the assets folder and takes the rest from the cache', async () => {
    putPrograms(assetsFolder(), ['etcd', 'kube-apiserver']);
    putPrograms(cacheFolder(), PROGRAM_NAMES);

    const binaries = await findBinaries(search({ assetsFolder: assetsFolder() }));

    expect(binaries).to.deep.equal({
      etcd: join(assetsFolder(), 'etcd'),
      'kube-apiserver': join(assetsFolder(), 'kube-apiserver'),
      'kube-controller-manager': join(cacheFolder(), 'kube-controller-manager'),
      'kube-scheduler': join(cacheFolder(), 'kube-scheduler'),
      kwok: join(cacheFolder(), 'kwok'),
    });
  });

  it('asks each source in turn for what is still missing', async () => {
    putPrograms(cacheFolder(), ['etcd', 'kube-scheduler']);
    const first = sourceOf('first', ['kube-apiserver']);
    const second = sourceOf('second', PROGRAM_NAMES);
    const third = sourceOf('third', PROGRAM_NAMES);

    const binaries = await findBinaries(search({ sources: [first, second, third] }));

    expect(first.asked).to.deep.equal([['kube-apiserver', 'kube-controller-manager', 'kwok']]);
    expect(second.asked).to.deep.equal([['kube-controller-manager', 'kwok']]);
    expect(third.asked).to.deep.equal([]);
    expect(binaries.kwok).to.equal(join(cacheFolder(), 'kwok'));
  });

  it('asks nobody when everything is there', async () => {
    putPrograms(cacheFolder(), PROGRAM_NAMES);
    const source = sourceOf('source', PROGRAM_NAMES);

    await findBinaries(search({ sources: [source] }));

    expect(source.asked).to.deep.equal([]);
  });

  it('does not count a file that can not be run', async () => {
    putPrograms(
      cacheFolder(),
      PROGRAM_NAMES.filter((program) => program !== 'kwok'),
    );
    writeFileSync(join(cacheFolder(), 'kwok'), '', { mode: 0o644 });
    const source = sourceOf('source', []);

    const failure: unknown = await findBinaries(search({ sources: [source] })).catch(
      (error: unknown) => error,
    );

    expect(source.asked).to.deep.equal([['kwok']]);
    expect(failure).to.be.an('error');
  });

  it('installs once when two runs start at once', async () => {
    const source = sourceOf('source', PROGRAM_NAMES);

    const [first, second] = await Promise.all([
      findBinaries(search({ sources: [source] })),
      findBinaries(search({ sources: [source] })),
    ]);

    expect(source.asked).to.have.length(1);
    expect(second).to.deep.equal(first);
  });

  it('tells who it waits for, once and then every quarter of a minute', async () => {
    const { promise: installing, resolve: tellInstalling } = Promise.withResolvers<void>();
    const { promise: mayEnd, resolve: letEnd } = Promise.withResolvers<void>();
    const slow: BinarySource = {
      name: 'slow',
      install: async (_missing, folder) => {
        tellInstalling();
        await mayEnd;
        putPrograms(folder, PROGRAM_NAMES);
        return [];
      },
    };
    const progress = recordedProgress((count) => {
      if (count === 3) letEnd();
    });

    const holder = findBinaries(search({ sources: [slow] }));
    await installing;
    await Promise.all([holder, findBinaries(search({ progress }))]);

    const prefix = `waiting for process ${process.pid}, which installs the programs`;
    expect(progress.lines.slice(0, 3)).to.deep.equal([
      `${prefix} in ${cacheFolder()}`,
      `${prefix}: 15 s`,
      `${prefix}: 30 s`,
    ]);
  });

  it('removes what a killed run left half done', async () => {
    putPrograms(cacheFolder(), []);
    writeFileSync(join(cacheFolder(), 'etcd.4711.partial'), '');
    writeFileSync(join(cacheFolder(), 'etcd.4711.partial.tar.gz'), '');

    await findBinaries(search({ sources: [sourceOf('source', PROGRAM_NAMES)] }));

    expect(readdirSync(cacheFolder()).toSorted()).to.deep.equal([...PROGRAM_NAMES].toSorted());
  });

  it('tells what every source said and what to do when a program can not be had', async () => {
    const sources = [sourceOf('download', []), sourceOf('go build', ['etcd'])];
    putPrograms(
      cacheFolder(),
      PROGRAM_NAMES.filter((program) => program !== 'etcd' && program !== 'kwok'),
    );

    const failure: unknown = await findBinaries(search({ sources })).catch((error: unknown) => error);

    expect(String(failure).split('\n')).to.deep.equal([
      'Error: cannot get kwok for the control plane:',
      '  etcd: download: download has none',
      '  kwok: download: download has none',
      '  kwok: go build: go build has none',
      'Install Go 1.24 or later, or give this machine access to the release sites, or set KUBEBUILDER_ASSETS to a ' +
        'folder that has these programs.',
    ]);
  });

  it('refuses an assets folder that has none of the programs', async () => {
    putPrograms(assetsFolder(), []);
    putPrograms(cacheFolder(), PROGRAM_NAMES);

    const failure: unknown = await findBinaries(search({ assetsFolder: assetsFolder() })).catch(
      (error: unknown) => error,
    );

    expect(String(failure)).to.include(
      `KUBEBUILDER_ASSETS names ${assetsFolder()}, which has none of etcd, `,
    );
  });
});

describe('standardSearch', () => {
  it('takes its folders from the environment', () => {
    const search = standardSearch({ KUBEBUILDER_ASSETS: '/assets', XDG_CACHE_HOME: '/cache' });

    expect(search.assetsFolder).to.equal('/assets');
    expect(search.cacheFolder).to.match(/^\/cache\/istio-operator\/control-plane\/etcd-/);
    expect(search.sources.map(({ name }) => name)).to.deep.equal(['download', 'go build']);
  });

  it('keeps programs in ~/.cache when the environment says nothing', () => {
    const search = standardSearch({ HOME: '/ignored', KUBEBUILDER_ASSETS: '' });

    expect(search.assetsFolder).to.equal(undefined);
    expect(search.cacheFolder).to.include('/.cache/istio-operator/control-plane/');
  });
});
