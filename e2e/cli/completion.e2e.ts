/** The scripts of `istio-operator completion`, read by the shells that are there, which then complete. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Shell } from '../../src/cli/completion.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The end of a line, and what its last word becomes; only what fits one way, so that each shell puts it in whole. */
const LINES = [
  ['a command', 'ma', 'manifest'],
  ['a command below another', 'profile du', 'dump'],
  ['a flag', 'manifest generate --filen', '--filename'],
  ['the choice of a flag', 'profile dump -o j', 'json'],
  ['the choice behind an equals sign', 'profile dump --output=j', '--output=json'],
  ['the choice of an argument', 'completion z', 'zsh'],
  ['a file', 'manifest generate -f me', 'mesh.yaml'],
  ['a file behind an equals sign', 'manifest generate --filename=me', '--filename=mesh.yaml'],
] as const;

/**
 * What each shell has to run to print what the last word of $LINE becomes. bash offers files by itself, which only shows
 * on a terminal. zsh completes on a terminal only, so it gets one.
 */
const SHELLS: Readonly<Record<Shell, { readonly script: string; readonly showsFiles: boolean }>> = {
  bash: {
    showsFiles: false,
    script: `
      source <(istio-operator completion bash)
      COMP_LINE="$LINE" COMP_POINT=\${#LINE}
      _istio_operator
      word="\${LINE##* }"
      if [[ "$word" == *=* ]]; then printf '%s=' "\${word%%=*}"; fi
      printf '%s' "\${COMPREPLY[*]}"`,
  },
  fish: {
    showsFiles: true,
    script: `
      istio-operator completion fish | source
      complete -C "$LINE" | string replace -r '\\t.*' '' | string join ' '`,
  },
  zsh: {
    showsFiles: true,
    script: `
      zmodload zsh/zpty
      zpty terminal zsh -f -i
      zpty -w terminal 'autoload -U compinit; compinit -D -u; source <(istio-operator completion zsh)'
      zpty -w terminal 'answer() { BUFFER="$LINE"; CURSOR=$#BUFFER; zle complete-word; print -r -- "<<\${\${(z)BUFFER}[-1]}>>" }'
      zpty -w terminal 'zle -N answer; bindkey "^X" answer; print -r -- "rea""dy"'
      zpty -r terminal output '*ready*'
      zpty -w -n terminal $'\\x18'
      zpty -r terminal output '*<<*>>*'
      zpty -d terminal
      print -r -- "\${\${output##*<<}%%>>*}"`,
  },
};

describe('the completion scripts', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'completion-'));
    const program = `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`;
    await writeFile(join(folder, 'istio-operator'), program, { mode: 0o755 });
    await writeFile(join(folder, 'mesh.yaml'), 'kind: IstioOperator\n');
  });

  after(async () => rm(folder, { recursive: true }));

  const completed = (shell: Shell, end: string): string => {
    const { PATH = '' } = process.env;
    const env = { PATH: `${folder}:${PATH}`, HOME: folder, LINE: `istio-operator ${end}`, TERM: 'dumb' };
    const { stdout } = spawnSync(shell, ['-c', SHELLS[shell].script], { encoding: 'utf8', cwd: folder, env });
    return stdout.trim();
  };

  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    if (spawnSync(shell, ['-c', 'exit 0']).status !== 0) continue;
    const { showsFiles } = SHELLS[shell];
    for (const [what, end, whole] of LINES.filter(([kind]) => showsFiles || !kind.startsWith('a file'))) {
      it(`complete ${what} in ${shell}`, () => {
        expect(completed(shell, end)).to.equal(whole);
      });
    }
  }
});
