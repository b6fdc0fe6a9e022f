import { expect } from 'chai';
import { Trouble } from './command-error.ts';
import type { CommandEnvironment } from './environment.ts';
import { manifestDiff } from './manifest-diff.ts';
import type { Style } from './terminal.ts';

interface Compared {
  readonly exitCode: number;
  readonly printed: string;
}

async function compare(left: string, right: string): Promise<Compared> {
  const files: Readonly<Record<string, string>> = { 'a.yaml': left, 'b.yaml': right };
  let printed = '';
  const environment = {
    terminal: {
      print: (text: string) => void (printed += text),
      styleData: (_style: Style, text: string) => text,
    },
    readText: (path: string) => Promise.resolve(files[path] ?? ''),
    filesIn: () => Promise.resolve(undefined),
  } as unknown as CommandEnvironment; // the parts that the command uses
  return { exitCode: await manifestDiff(environment, 'a.yaml', 'b.yaml'), printed };
}

const map = (name: string, value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: n}\ndata: {key: "${value}"}\n`;

describe('manifest diff', () => {
  it('finds no difference in another order of objects and keys', async () => {
    const reordered =
      'data: {key: "2"}\nmetadata: {namespace: n, name: b}\nkind: ConfigMap\napiVersion: v1\n';

    expect(
      await compare(`${map('a', '1')}---\n${map('b', '2')}`, `${reordered}---\n${map('a', '1')}`),
    ).to.deep.equal({
      exitCode: 0,
      printed: '',
    });
  });

  it('shows the lines that differ under the name of their object', async () => {
    const { exitCode, printed } = await compare(map('a', '1'), map('a', '2'));

    expect(exitCode).to.equal(1);
    expect(printed.split('\n').filter((line) => /^[-+]/u.test(line))).to.deep.equal([
      '--- a.yaml ConfigMap n/a',
      '+++ b.yaml ConfigMap n/a',
      "-  key: '1'",
      "+  key: '2'",
    ]);
  });

  it('shows an object that is on one side only', async () => {
    const { exitCode, printed } = await compare('', map('a', '1'));

    expect(exitCode).to.equal(1);
    expect(printed).to.contain('--- /dev/null').and.contain('+kind: ConfigMap');
  });

  it('does not mind what the API server writes into objects', async () => {
    const live = map('a', '1').replace(
      '{name: a',
      '{uid: x, resourceVersion: "7", creationTimestamp: null, name: a',
    );

    expect((await compare(map('a', '1'), `${live}status: {ready: true}\n`)).exitCode).to.equal(0);
  });

  it('takes a file that cannot be read for trouble and not for a difference', async () => {
    const failure = await compare('a: [', '').catch((error: unknown) => error);

    expect(failure).to.be.instanceOf(Trouble).with.property('exitCode', 2);
  });
});
