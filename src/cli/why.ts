/** `istio-operator why`: which settings an object or a field follows from, and who owns it in the cluster. */
import type { FieldOwner } from '../apply/managed-fields.ts';
import { ownersAt } from '../apply/managed-fields.ts';
import type { FieldAttribution, Influence, ObjectAttribution } from '../core/attribution.ts';
import { attribute } from '../core/attribution.ts';
import { printPath } from '../core/field-path.ts';
import type { ObjectField } from '../core/object-fields.ts';
import { fieldsAt, fieldsOf } from '../core/object-fields.ts';
import { createRehearsals } from '../core/rehearsal.ts';
import type { Setting, SettingSource } from '../core/rehearsal.ts';
import { printTreePath, readAt } from '../core/tree-path.ts';
import { printYaml } from '../core/yaml.ts';
import type { JsonValue } from '../model/json.ts';
import { assertNever, jsonEqual } from '../model/json.ts';
import type { K8sObject } from '../model/object.ts';
import { displayRef, refOf } from '../model/object.ts';
import { objectsOf } from '../model/plan.ts';
import { CommandError, EXIT, failure } from './command-error.ts';
import type { CommandEnvironment } from './environment.ts';
import type { Subject, SubjectFlags } from './installed-input.ts';
import { withSubjects } from './installed-input.ts';
import { objectNamed } from './object-name.ts';
import { table } from './table.ts';

export interface WhyOptions extends SubjectFlags {
  /** As people name it: `deployment/istiod`. */
  readonly object: string;
  /** In the path language of overlays; the whole object when absent. */
  readonly field?: string;
  readonly namespace?: string;
  readonly output: 'text' | 'wide' | 'yaml' | 'json';
}

/** Prints where the value of a field comes from, or those of all fields of an object. Changes nothing. */
export async function why(environment: CommandEnvironment, options: WhyOptions): Promise<number> {
  const { terminal } = environment;
  await withSubjects(environment, options, async (subjects) => {
    const all = subjects.flatMap(({ plan }) => objectsOf(plan));
    const object = objectNamed(all, options.object, options.namespace);
    const subject = subjects.find(({ plan }) => objectsOf(plan).includes(object));
    if (subject === undefined) return;
    const fields = options.field === undefined ? undefined : chosenFields(object, options.field);
    const explanation = await explain(environment, subject, object);
    terminal.print(PRINTERS[options.output](withOnly(explanation, fields)));
  });
  return EXIT.ok;
}

/** One object, with what is there of it. */
interface Explanation extends ObjectAttribution {
  /** Undefined when it is not there, or no cluster is asked. */
  readonly live: K8sObject | undefined;
  readonly isOffline: boolean;
  /** A part of it was asked for. */
  readonly isPart: boolean;
}

async function explain(
  { loadAssets }: CommandEnvironment,
  { input, plan, read }: Subject,
  object: K8sObject,
): Promise<Explanation> {
  const rehearsal = createRehearsals(await loadAssets())(input);
  if (rehearsal.kind === 'invalid') throw new CommandError(rehearsal.diagnostics);
  const planned = plan.components.find(({ objects }) => objects.includes(object));
  const surroundings = { owner: input.owner, kubernetesVersion: input.facts.kubernetesVersion };
  const attribution =
    planned && attribute(rehearsal, { component: planned.component, ref: refOf(object) }, surroundings);
  if (attribution === undefined) {
    throw failure('noSuchObject', `${displayRef(refOf(object))} is not rendered`, 'Report this as a fault.');
  }
  return { ...attribution, live: await read?.(object), isOffline: read === undefined, isPart: false };
}

function chosenFields(object: K8sObject, path: string): readonly ObjectField[] {
  const found = fieldsAt(object, path);
  if (found.kind === 'found') return found.fields;
  const name = displayRef(refOf(object));
  throw failure(
    'noSuchField',
    `${name} has no field ${path}: ${found.cause}`,
    'Leave the field out to see all of them, with -o wide also those that no setting decides.',
  );
}

function withOnly(explanation: Explanation, chosen: readonly ObjectField[] | undefined): Explanation {
  if (chosen === undefined) return explanation;
  const keys = new Set(chosen.map(({ key }) => key));
  const fields = explanation.fields.filter(({ field }) => keys.has(field.key));
  return { ...explanation, fields, isPart: true };
}

const PRINTERS: Readonly<Record<WhyOptions['output'], (explanation: Explanation) => string>> = {
  text: (explanation) => printed(explanation, { isWide: false }),
  wide: (explanation) => printed(explanation, { isWide: true }),
  yaml: (explanation) => printYaml(asData(explanation)),
  json: (explanation) => `${JSON.stringify(asData(explanation), null, 2)}\n`,
};

function printed(explanation: Explanation, { isWide }: { readonly isWide: boolean }): string {
  const [only, another] = explanation.fields;
  const isOne = explanation.isPart && only !== undefined && another === undefined;
  return isOne ? printedField(explanation, only) : printedObject(explanation, isWide || explanation.isPart);
}

/** One field, with everything that is known of it. */
function printedField(explanation: Explanation, attribution: FieldAttribution): string {
  const { object, live } = explanation;
  const { field, decidedBy, openTo } = attribution;
  const inCluster = liveField(explanation, field);
  const rows = [
    ['value', shortValue(field.value)],
    ...labelled('from', decidedBy.length === 0 ? [NO_SETTING] : decidedBy.flatMap(originLines)),
    ...labelled(
      'open',
      openTo.map(({ path }) => `${printPath(path)} is empty and would change it`),
    ),
    ...labelled('cluster', explanation.isOffline ? [] : [clusterLine(live, field, inCluster.value)]),
    ...labelled('owner', inCluster.owners.map(ownerLine)),
  ];
  return `${displayRef(refOf(object))} ${printTreePath(field.steps)}\n${table(rows, '  ')}`;
}

function labelled(label: string, lines: readonly string[]): readonly (readonly string[])[] {
  return lines.map((line, index) => [index === 0 ? label : '', line]);
}

const NO_SETTING = 'part of Istio: no setting in use decides it; an overlay can replace it';

/** The setting with what counts, and below it what that replaced. */
function originLines(influence: Influence): readonly string[] {
  if (influence.kind !== 'setting') return [SURROUNDINGS[influence.kind]];
  const { path, sources } = influence.setting;
  const [strongest, ...weaker] = sources.toReversed();
  const first = `${placeOf(strongest)}: ${printPath(path)} = ${shortValue(strongest?.value)}`;
  return [first, ...weaker.map((source) => `  instead of ${shortValue(source.value)} (${placeOf(source)})`)];
}

const SURROUNDINGS = {
  owner: 'the name and namespace of the resource',
  kubernetes: 'the version of Kubernetes',
} as const;

function placeOf(source: SettingSource | undefined): string {
  if (source?.position === undefined) return source?.name ?? '';
  const { file, line, column } = source.position;
  return `${file}:${line}:${column}`;
}

interface LiveField {
  readonly value: JsonValue | undefined;
  readonly owners: readonly FieldOwner[];
}

function liveField({ live, object }: Explanation, field: ObjectField): LiveField {
  if (live === undefined) return { value: undefined, owners: [] };
  const value = fieldsOf(live).find(({ key }) => key === field.key)?.value;
  // What a ConfigMap holds as text is one field to the API server.
  const steps = object.kind === 'ConfigMap' ? field.steps.slice(0, 2) : field.steps;
  const found = readAt(live, steps);
  return { value, owners: found === undefined ? [] : ownersAt(live, found.path) };
}

function clusterLine(live: K8sObject | undefined, field: ObjectField, value: JsonValue | undefined): string {
  if (live === undefined) return 'the object is not there';
  if (value === undefined) return 'the field is not there';
  return jsonEqual(value, field.value) ? 'the same' : `${shortValue(value)} differs`;
}

function ownerLine({ manager, operation, time }: FieldOwner): string {
  const verb = operation === 'Apply' ? 'applied' : 'updated';
  return `${manager} (${verb}${time === undefined ? '' : ` ${time}`})`;
}

/** A line for each field that a setting decides; with `isWhole` for each field. */
function printedObject(explanation: Explanation, isWhole: boolean): string {
  const { object, existsBy, fields } = explanation;
  const decided = fields.filter(({ decidedBy }) => decidedBy.length > 0);
  const shown = isWhole ? fields : decided;
  const rows = shown.map(({ field, decidedBy }) => [
    printTreePath(field.steps),
    shortValue(field.value),
    decidedBy.length === 0 ? '-' : decidedBy.map(shortOrigin).join(', '),
  ]);
  const hidden = fields.length - shown.length;
  return [
    `${displayRef(refOf(object))}\n`,
    ...existsBy.map((influence) => `  is there by ${shortOrigin(influence)}\n`),
    table([['FIELD', 'VALUE', 'DECIDED BY'], ...rows], '  '),
    hidden === 0
      ? ''
      : `  ${hidden} more fields are part of Istio: no setting in use decides them (-o wide)\n`,
  ].join('');
}

function shortOrigin(influence: Influence): string {
  if (influence.kind !== 'setting') return SURROUNDINGS[influence.kind];
  const { path, sources } = influence.setting;
  return `${printPath(path).replace(/^spec\./u, '')} (${placeOf(sources.at(-1))})`;
}

const MAX_SHOWN_CHARACTERS = 60;

function shortValue(value: JsonValue | undefined): string {
  const text = typeof value === 'string' && value !== '' ? value : JSON.stringify(value ?? null);
  const line = text.replaceAll('\n', ' ');
  return line.length <= MAX_SHOWN_CHARACTERS ? line : `${line.slice(0, MAX_SHOWN_CHARACTERS - 1)}…`;
}

function asData(explanation: Explanation): JsonValue {
  const { object, component, existsBy, fields } = explanation;
  return {
    object: { ...refOf(object) },
    component,
    existsBy: existsBy.map(influenceData),
    fields: fields.map((attribution) => fieldData(explanation, attribution)),
  };
}

function fieldData(explanation: Explanation, { field, decidedBy, openTo }: FieldAttribution): JsonValue {
  const { value, owners } = liveField(explanation, field);
  return {
    path: printTreePath(field.steps),
    value: field.value,
    decidedBy: decidedBy.map(influenceData),
    openTo: openTo.map(({ path }) => printPath(path)),
    ...(explanation.isOffline ? {} : { live: value ?? null, owners: owners.map((owner) => ({ ...owner })) }),
  };
}

function influenceData(influence: Influence): JsonValue {
  switch (influence.kind) {
    case 'setting':
      return settingData(influence.setting);
    case 'owner':
    case 'kubernetes':
      return { kind: influence.kind };
    default:
      return assertNever(influence);
  }
}

function settingData({ path, sources }: Setting): JsonValue {
  return {
    kind: 'setting',
    path: printPath(path),
    sources: sources.map(({ name, value, position }) => ({
      name,
      value,
      ...(position === undefined ? {} : { position: { ...position } }),
    })),
  };
}
