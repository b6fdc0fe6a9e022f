/** The layer table: which folder of src/ may import what. The lint rules and docs/architecture.md are made from it. */

export interface Layer {
  readonly folder: string;
  /** One sentence for the newcomer. */
  readonly role: string;
  /** What it may import beside itself: a layer, a folder of one (`core/objects`), or files (`apply/*.port.ts`). */
  readonly layers: readonly string[];
  readonly packages: readonly string[];
  /** Modules of Node.js; `any` for layers that talk to the world. */
  readonly node: readonly string[] | 'any';
  /**
   * - `pure`: same input, same output: no clock, randomness, process, network or timers.
   * - `injected`: the clock and the outside world come in as parameters.
   * - `adapter`: implements what the others are given.
   */
  readonly world: 'pure' | 'injected' | 'adapter';
  /** Folders that do not know each other, and the only files in which they meet. */
  readonly meeting?: { readonly files: readonly string[]; readonly folders: readonly string[] };
}

/** Every folder of src/. */
export const LAYERS: readonly Layer[] = [
  {
    folder: 'model',
    role: 'Types and small guards that everyone may use.',
    layers: [],
    packages: [],
    node: [],
    world: 'pure',
  },
  {
    folder: 'core',
    role: 'The pipeline from an IstioOperator to a plan.',
    layers: ['model'],
    packages: ['deepmerge', 'diff', 'handlebars', 'js-yaml', 'leven', 're2js', 'yaml'],
    node: [],
    world: 'pure',
    meeting: {
      files: ['plan.ts', 'component-plan.ts', 'rehearsal.ts', 'own-profiles.ts', 'own-profile-file.ts'],
      folders: ['spec', 'profile', 'values', 'render', 'objects', 'injection', 'testing'],
    },
  },
  {
    folder: 'planner',
    role: 'Plans what anybody may have written, in a thread where it might take long.',
    layers: ['model', 'core'],
    packages: [],
    node: ['node:crypto', 'node:worker_threads'],
    world: 'adapter',
  },
  {
    folder: 'assets',
    role: 'Reads templates, profiles and schemas into an AssetBundle.',
    layers: ['model'],
    packages: ['ajv', 'js-yaml'],
    node: 'any',
    world: 'adapter',
  },
  {
    folder: 'config',
    role: 'Flags and environment, read once into settings.',
    layers: ['model'],
    packages: [],
    node: 'any',
    world: 'adapter',
  },
  {
    folder: 'log',
    role: 'Structured logs and redaction.',
    layers: ['model'],
    packages: ['winston'],
    node: 'any',
    world: 'adapter',
  },
  {
    folder: 'apply',
    role: 'The engine: makes a cluster equal to a plan.',
    layers: ['model', 'core/objects'],
    packages: [],
    node: ['node:crypto'],
    world: 'injected',
  },
  {
    folder: 'cluster',
    role: 'The API server: credentials, transport, watches, leases.',
    layers: ['model', 'apply/*.port.ts', 'controller/*.port.ts'],
    packages: ['@kubernetes/client-node', 'undici'],
    node: 'any',
    world: 'adapter',
  },
  {
    folder: 'http',
    role: 'Health and metrics endpoints.',
    layers: ['model', 'log'],
    packages: [],
    node: 'any',
    world: 'adapter',
  },
  {
    folder: 'controller',
    role: 'Keeps watched resources reconciled and tells how it went.',
    layers: ['model', 'core', 'apply', 'log'],
    packages: ['@prometheus-io/client'],
    node: [],
    world: 'injected',
  },
  {
    folder: 'cli',
    role: 'Commands, their arguments and what they print.',
    layers: ['model', 'core', 'apply', 'log', 'config'],
    packages: ['commander', 'diff'],
    node: 'any',
    world: 'adapter',
  },
];

/** The files directly in src/: they alone may import anything, and no layer imports them. */
export const COMPOSITION = [
  { file: 'main.ts', role: 'The executable: loads what the command needs.' },
  { file: 'host.ts', role: 'Gives the command line its terminal, files and cluster.' },
  { file: 'operator.ts', role: 'Puts the in-cluster operator together.' },
  { file: 'run-operator.ts', role: 'Runs the in-cluster operator until it is told to stop.' },
  { file: 'plan-worker.ts', role: 'The planning thread of the in-cluster operator.' },
  {
    file: 'mounted-profiles.ts',
    role: 'Own profiles of the in-cluster operator, read when it starts.',
  },
  { file: 'turns.ts', role: 'Gives long pieces of work a turn of the event loop each.' },
  { file: 'version.ts', role: "The operator's own version." },
] as const satisfies readonly { readonly file: string; readonly role: string }[];
