/** What a command may use of the world. Put together in main.ts; in tests, of parts that remember. */
import type { ClusterPort } from '../apply/cluster.port.ts';
import type { AssetBundle } from '../model/assets.ts';
import type { Clock } from '../model/clock.ts';
import type { Terminal } from './terminal.ts';

export interface ClusterChoice {
  /** Path of a kubeconfig file. */
  readonly kubeconfig?: string;
  /** A context of it other than the current one. */
  readonly context?: string;
}

export interface Connection {
  readonly cluster: ClusterPort;
  /** The URL of the API server, to tell people where they are. */
  readonly server: string;
  close(): Promise<void>;
}

export interface CommandEnvironment {
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** Aborted by Ctrl-C and by SIGTERM. */
  readonly signal: AbortSignal;
  readonly version: string;
  /** Reads a file, or standard input for `-`. */
  readonly readText: (path: string) => Promise<string>;
  readonly loadAssets: () => Promise<AssetBundle>;
  /** Rejects with a CommandError when there are no usable credentials. */
  readonly connect: (choice: ClusterChoice) => Promise<Connection>;
  /** Runs the in-cluster process until it is told to stop; resolves to its exit code. */
  readonly runOperator: (flags: Readonly<Record<string, string>>) => Promise<number>;
}
