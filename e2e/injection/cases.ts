/** Reads injection cases: pods and Gateways before and after injection by Istio 1.30.3, with the settings of each. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import type { JsonObject, JsonValue } from '../../src/model/json.ts';
import { isJsonObject } from '../../src/model/json.ts';
import { changedBy } from './delta.ts';
import type { Change } from './delta.ts';

export interface InjectionCase {
  readonly name: string;
  /** How the input reaches the templates. */
  readonly runner: 'kube-inject' | 'webhook' | 'gateway-controller';
  /** YAML as a user wrote it; its reading is part of the case. */
  readonly input: string;
  /** The objects as they have to be afterwards; absent when an error is expected. */
  readonly expected?: readonly JsonObject[];
  /** A part of the error in lower case. */
  readonly expectError?: string;
  /** What is set over the default values. */
  readonly values: JsonObject;
  /** What is set over the default mesh configuration. */
  readonly mesh: JsonObject;
  readonly nativeSidecars: boolean;
  /** Of istiod; empty is the default one. */
  readonly revision: string;
  readonly openshift?: boolean;
  /** Annotations of namespaces by name. */
  readonly namespaces?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Path of the webhook, when it is not the plain one. */
  readonly urlPath?: string;
  readonly compliancePolicy?: string;
  /** Minor version of Kubernetes. */
  readonly kubeMinor?: string;
  /** What the script of grpc-simple has to write. */
  readonly bootstrap?: JsonObject;
}

/** Where the project keeps its cases. */
const CASES_FILE = fileURLToPath(new URL('cases/cases.jsonl', import.meta.url));

/** A case in the project's file: what is expected may be told as changes to an earlier case. */
export interface PackedCase extends Omit<InjectionCase, 'expected'> {
  readonly expected?: readonly JsonObject[];
  readonly like?: string;
  readonly but?: readonly Change[];
}

/** Reads the project's own cases: one JSON object a line. */
export function readCases(): readonly InjectionCase[] {
  const unpacked = new Map<string, InjectionCase>();
  const lines = jsonLines(CASES_FILE) as unknown as readonly PackedCase[]; // written by pack-cases.ts
  for (const { like, but, ...given } of lines) {
    const model = like === undefined ? given.expected : unpacked.get(like)?.expected;
    if (like !== undefined && model === undefined)
      throw new Error(`${given.name} is like ${like}, which is not before it`);
    const expected = changedBy(model ?? null, but ?? []) as readonly JsonObject[] | null; // objects stay objects
    unpacked.set(given.name, expected === null ? given : { ...given, expected });
  }
  return [...unpacked.values()];
}

/** One line of cases.jsonl in a folder where input and expected objects are files of their own. */
interface CaseFiles {
  readonly name: string;
  readonly runner: InjectionCase['runner'];
  readonly input: string;
  readonly expected: string | null;
  readonly expect_error?: string;
  readonly values_overrides: JsonObject;
  readonly mesh_overrides: JsonObject;
  readonly native_sidecars: boolean;
  readonly revision: string;
  readonly openshift?: boolean;
  readonly namespaces?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly url_path?: string;
  readonly compliance_policy?: string;
  readonly kube_minor?: string;
  readonly bootstrap?: JsonObject;
}

/** Reads the cases of a folder laid out as `/work/shared/injection/cases`. */
export function readCaseFolder(folder: string): readonly InjectionCase[] {
  if (!existsSync(folder)) throw new Error(`there is no folder ${folder} with injection cases`);
  const lines = jsonLines(join(folder, 'cases.jsonl')) as unknown as readonly CaseFiles[]; // the layout says so
  return lines.map((line) => caseOf(folder, line));
}

function caseOf(folder: string, files: CaseFiles): InjectionCase {
  const expected = files.expected === null ? undefined : objectsIn(join(folder, files.expected));
  return {
    name: files.name,
    runner: files.runner,
    input: readFileSync(join(folder, files.input), 'utf8'),
    ...(expected === undefined ? {} : { expected }),
    ...optional('expectError', files.expect_error),
    values: files.values_overrides,
    mesh: files.mesh_overrides,
    nativeSidecars: files.native_sidecars,
    revision: files.revision,
    ...optional('openshift', files.openshift),
    ...optional('namespaces', files.namespaces),
    ...optional('urlPath', files.url_path),
    ...optional('compliancePolicy', files.compliance_policy),
    ...optional('kubeMinor', files.kube_minor),
    ...optional('bootstrap', files.bootstrap),
  };
}

function optional<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>); // a computed key widens the type
}

function objectsIn(file: string): readonly JsonObject[] {
  const documents = parseAllDocuments(readFileSync(file, 'utf8'));
  const values = documents.map((document) => document.toJS() as JsonValue); // printed by Go: nothing but JSON in it
  return values.filter(isJsonObject);
}

function jsonLines(file: string): readonly JsonObject[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as JsonObject);
}
