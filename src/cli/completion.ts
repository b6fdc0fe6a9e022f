/**
 * Completion by Cobra's protocol, which kubectl speaks too: `__complete WORD…` prints one candidate a line with its
 * description after a tab, and then `:` with a directive that tells the shell whether to offer files.
 */
import type { Command, Option } from 'commander';

/** Cobra's numbers. */
const DIRECTIVES = { files: 0, noFiles: 4 } as const;

interface Candidate {
  readonly value: string;
  readonly description: string;
}

interface Completion {
  readonly candidates: readonly Candidate[];
  readonly directive: keyof typeof DIRECTIVES;
}

/** What could stand in the place of the last word, as `__complete` prints it. */
export function complete(program: Command, words: readonly string[]): string {
  const { candidates, directive } = completionOf(program, words.slice(0, -1), words.at(-1) ?? '');
  const lines = candidates.map(({ value, description }) => `${value}\t${description}\n`);
  return `${lines.join('')}:${DIRECTIVES[directive]}\n`;
}

function completionOf(program: Command, before: readonly string[], word: string): Completion {
  const command = commandOf(program, before);
  const pending = command.options.find((option) => isCalled(option, before.at(-1)) && takesValue(option));
  if (pending !== undefined) return valuesOf(pending, '', word);
  const assigned = /^(--[^=]+)=(.*)$/u.exec(word);
  if (assigned !== null) {
    const [, flag = '', start = ''] = assigned;
    const option = command.options.find((each) => isCalled(each, flag));
    return option === undefined ? only([], start) : valuesOf(option, `${flag}=`, start);
  }
  if (word.startsWith('-')) return only(command.createHelp().visibleOptions(command).flatMap(flagsOf), word);
  const children = command.createHelp().visibleCommands(command);
  if (children.length === 0) return argumentsOf(command, word);
  return only(
    children.map((child) => ({ value: child.name(), description: child.description() })),
    word,
  );
}

/** The command that the words lead to; flags and their values are passed over. */
function commandOf(program: Command, words: readonly string[]): Command {
  return words.reduce(
    (command, word) =>
      command.commands.find((child) => child.name() === word || child.aliases().includes(word)) ?? command,
    program,
  );
}

function isCalled({ long, short }: Option, word: string | undefined): boolean {
  return word !== undefined && (word === long || word === short);
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

/** The choices of an option; without choices, files. */
function valuesOf(option: Option, prefix: string, start: string): Completion {
  const choices = option.argChoices ?? [];
  if (choices.length === 0) return { candidates: [], directive: 'files' };
  return only(
    choices.map((choice) => ({ value: `${prefix}${choice}`, description: '' })),
    `${prefix}${start}`,
  );
}

/** The choices of the arguments; without choices, files. */
function argumentsOf({ registeredArguments }: Command, start: string): Completion {
  const choices = registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
  if (choices.length === 0) return { candidates: [], directive: 'files' };
  return only(
    choices.map((value) => ({ value, description: '' })),
    start,
  );
}

function flagsOf({ long, short, description }: Option): readonly Candidate[] {
  const value = long ?? short;
  return value === undefined ? [] : [{ value, description }];
}

function only(candidates: readonly Candidate[], start: string): Completion {
  return { candidates: candidates.filter(({ value }) => value.startsWith(start)), directive: 'noFiles' };
}

export type Shell = keyof typeof SCRIPTS;

/** Each asks `istio-operator __complete` with the words so far, the one under the cursor last. */
const SCRIPTS = {
  bash: `# source <(istio-operator completion bash)
_istio_operator() {
  local reply directive line
  COMPREPLY=()
  # An equals sign separates words in bash: the words are taken from the line itself.
  local words=(\${COMP_LINE:0:COMP_POINT})
  [[ "\${COMP_LINE:0:COMP_POINT}" == *' ' ]] && words+=('')
  reply="$("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)" || return
  directive="\${reply##*:}"
  while IFS= read -r line; do
    [[ "$line" == :* || -z "$line" ]] && continue
    line="\${line%%$'\\t'*}"
    [[ "\${words[-1]}" == *=* ]] && line="\${line#*=}"
    COMPREPLY+=("$line")
  done <<< "$reply"
  if [[ "$directive" == 0 ]]; then compopt -o default; fi
}
complete -F _istio_operator istio-operator
`,
  zsh: `#compdef istio-operator
_istio_operator() {
  local reply line
  local -a candidates
  reply="$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)" || return
  for line in "\${(@f)reply}"; do
    [[ "$line" == :* || -z "$line" ]] && continue
    line="\${line//:/\\\\:}"
    candidates+=("\${line/$'\\t'/:}")
  done
  if [[ "\${reply##*:}" == 4 ]]; then
    _describe istio-operator candidates
    return
  fi
  # The name of a file begins behind the equals sign of its flag.
  compset -P '--*='
  _files
}
# As a file _istio-operator in a folder of $fpath this is what completes; otherwise it tells the shell what does.
if [[ "\${funcstack[1]}" == _istio-operator ]]; then
  _istio_operator "$@"
else
  compdef _istio_operator istio-operator
fi
`,
  fish: `# istio-operator completion fish | source
function __istio_operator
  set -l word (commandline -ct)
  set -l words (commandline -opc) $word
  set -l reply ($words[1] __complete $words[2..-1] 2>/dev/null)
  string match -v -- ':*' $reply
  if test "$reply[-1]" = ':0'
    # The name of a file begins behind the equals sign of its flag.
    set -l flag (string match -r -- '^--[^=]+=' $word)
    set -l start (string replace -r -- '^--[^=]+=' '' $word)
    for path in (__fish_complete_path "$start")
      echo "$flag$path"
    end
  end
end
complete -c istio-operator -f -a '(__istio_operator)'
`,
} as const;

/** What a shell has to read so that it completes the program's commands. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}
