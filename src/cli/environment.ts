/** What a command may use of the world. Put together in main.ts; in tests, of parts that remember. */
import type { ClusterPort } from '../apply/cluster.port.ts';
import type { AssetBundle } from '../model/assets.ts';
import type { Clock } from '../model/clock.ts';
import type { JsonObject } from '../model/json.ts';
import type { GroupVersionKind, K8sObject, ObjectRef } from '../model/object.ts';
import type { Terminal } from './terminal.ts';

export interface ClusterChoice {
  /** Path of a kubeconfig file. */
  readonly kubeconfig?: string;
  /** A context of it other than the current one. */
  readonly context?: string;
}

export interface ListSelection {
  readonly signal: AbortSignal;
  /** All namespaces when absent. */
  readonly namespace?: string;
  readonly labelSelector?: string;
}

/** What the engine needs, and what only commands ask for. */
export interface CommandCluster extends ClusterPort {
  /** All objects of a kind; none when the kind is not served. */
  list(kind: GroupVersionKind, selection: ListSelection): Promise<readonly K8sObject[]>;
  /** Merges into the metadata; with a `resourceVersion` it throws `conflict` when the object changed meanwhile. */
  patchMetadata(
    ref: ObjectRef,
    metadata: JsonObject,
    options: { readonly signal: AbortSignal },
  ): Promise<void>;
  /** Shows the metadata of objects in all namespaces, in pages of which none is kept. */
  scanMetadata(
    kind: GroupVersionKind,
    show: (object: K8sObject) => void,
    options: { readonly signal: AbortSignal; readonly fieldSelector?: string },
  ): Promise<void>;
  /** As the API server tells it, such as `v1.34.4`. */
  serverVersion(options: { readonly signal: AbortSignal }): Promise<string>;
}

export interface Connection {
  readonly cluster: CommandCluster;
  /** The URL of the API server, to tell people where they are. */
  readonly server: string;
  /** The namespace of the context, when it names one. */
  readonly namespace?: string;
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
  /** Shows a question on standard error and reads one line of standard input; undefined when there is none left. */
  readonly ask: (question: string) => Promise<string | undefined>;
  /** The files directly in a folder, as paths in alphabetical order; undefined when the path is no folder. */
  readonly filesIn: (path: string) => Promise<readonly string[] | undefined>;
  /** Writes a file, and the folders above it where they are missing. */
  readonly writeText: (path: string, text: string, mode?: number) => Promise<void>;
  readonly loadAssets: () => Promise<AssetBundle>;
  /** Rejects with a CommandError when there are no usable credentials. */
  readonly connect: (choice: ClusterChoice) => Promise<Connection>;
  /** Runs the in-cluster process until it is told to stop; resolves to its exit code. */
  readonly runOperator: (flags: Readonly<Record<string, string>>) => Promise<number>;
}
