/** Every fault that we can tell a user about. Codes are permanent: people search for them. */
import type { Diagnostic, Position, Severity } from '../model/diagnostic.ts';
import type { FieldPath } from './field-path.ts';
import { printPath } from './field-path.ts';

interface DiagnosticKind {
  readonly code: string;
  readonly severity: Severity;
  /** What kind of fault it is, for the reference in docs/. */
  readonly title: string;
}

export const DIAGNOSTIC_KINDS = {
  invalidYaml: { code: 'IOP101', severity: 'error', title: 'A file is not valid YAML' },
  forbiddenKey: { code: 'IOP102', severity: 'error', title: 'A key would change how objects behave' },
  documentTooLarge: { code: 'IOP103', severity: 'error', title: 'A document is too large or too deep' },
  notAnIstioOperator: { code: 'IOP104', severity: 'error', title: 'A document is not an IstioOperator' },
  severalResources: {
    code: 'IOP105',
    severity: 'error',
    title: 'A file holds several IstioOperator resources',
  },
  notAnObject: { code: 'IOP107', severity: 'error', title: 'A document is not a Kubernetes object' },
  invalidSetFlag: { code: 'IOP106', severity: 'error', title: 'A --set flag cannot be applied' },
  unknownField: { code: 'IOP201', severity: 'error', title: 'A field does not exist' },
  wrongType: { code: 'IOP202', severity: 'error', title: 'A value has the wrong type' },
  unknownProfile: { code: 'IOP203', severity: 'error', title: 'The profile does not exist' },
  gatewayWithoutName: { code: 'IOP204', severity: 'error', title: 'A gateway has no name' },
  invalidName: { code: 'IOP205', severity: 'error', title: 'A name is not acceptable to Kubernetes' },
  invalidImage: {
    code: 'IOP206',
    severity: 'error',
    title: 'Hub or tag cannot be part of an image reference',
  },
  privilegedPort: { code: 'IOP207', severity: 'error', title: 'A gateway port needs root' },
  invalidRange: {
    code: 'IOP208',
    severity: 'error',
    title: 'A list of ports or address ranges is malformed',
  },
  unknownPreset: { code: 'IOP209', severity: 'error', title: 'A values preset does not exist' },
  unsupportedValue: { code: 'IOP210', severity: 'error', title: 'A value is not supported' },
  duplicateGateway: { code: 'IOP211', severity: 'error', title: 'Two gateways would be the same objects' },
  unsupportedRelease: {
    code: 'IOP212',
    severity: 'error',
    title: 'The release line of Istio is not supported',
  },
  fieldOfOtherRelease: {
    code: 'IOP213',
    severity: 'error',
    title: 'A field does not exist in the chosen release',
  },
  upgradeRefused: {
    code: 'IOP214',
    severity: 'error',
    title: 'An installation cannot change like this in place',
  },
  profilesOutOfReach: {
    code: 'IOP215',
    severity: 'error',
    title: 'Own profiles lie where the operator reads nothing',
  },
  replacedField: { code: 'IOP301', severity: 'warning', title: 'A field of an older release has no effect' },
  removedField: {
    code: 'IOP302',
    severity: 'error',
    title: 'A field of an older release cannot be honoured',
  },
  ignoredSetting: { code: 'IOP303', severity: 'warning', title: 'A setting has nothing to act on' },
  conflictingReplicas: {
    code: 'IOP304',
    severity: 'warning',
    title: 'A fixed replica count fights an autoscaler',
  },
  splitControlPlane: {
    code: 'IOP305',
    severity: 'warning',
    title: 'istiod would run apart from its account',
  },
  tagWithoutVersion: { code: 'IOP306', severity: 'warning', title: 'A tag does not tell its version' },
  mixedReleases: {
    code: 'IOP307',
    severity: 'warning',
    title: 'A component is of another release than the rest',
  },
  previewRelease: { code: 'IOP308', severity: 'warning', title: 'The chosen release line is a preview' },
  oldKubernetes: {
    code: 'IOP320',
    severity: 'warning',
    title: 'Kubernetes is older than the release supports',
  },
  suspectMeshField: {
    code: 'IOP309',
    severity: 'warning',
    title: 'istiod would ignore a part of the mesh configuration',
  },
  refusedVariable: {
    code: 'IOP312',
    severity: 'warning',
    title: 'The API server refuses a variable of a container',
  },
  unknownTemplate: {
    code: 'IOP311',
    severity: 'warning',
    title: 'Pods would be injected with a template that does not exist',
  },
  kindNotServed: {
    code: 'IOP321',
    severity: 'warning',
    title: 'The cluster does not serve a kind that was asked for',
  },
  addonWithoutAddress: {
    code: 'IOP322',
    severity: 'warning',
    title: 'An addon is elsewhere, and nothing says where',
  },
  formerTracer: { code: 'IOP323', severity: 'warning', title: 'A tracer is set as in older releases' },
  overlayWithoutObject: { code: 'IOP401', severity: 'error', title: 'An overlay matches no object' },
  overlayPathNotFound: { code: 'IOP402', severity: 'error', title: 'The path of an overlay matches nothing' },
  overlayChangesType: {
    code: 'IOP403',
    severity: 'error',
    title: 'An overlay would change the type of a value',
  },
  invalidOverlayPath: { code: 'IOP404', severity: 'error', title: 'The path of an overlay cannot be read' },
  overlayOutOfScope: {
    code: 'IOP405',
    severity: 'warning',
    title: 'An overlay matches no object of the chosen scope',
  },
  movedField: {
    code: 'IOP310',
    severity: 'warning',
    title: 'A field of an older release is read as its successor',
  },
  renderFailed: { code: 'IOP501', severity: 'error', title: 'A template could not be rendered' },
  planningExceeded: {
    code: 'IOP502',
    severity: 'error',
    title: 'Planning takes too much time or memory',
  },
  planTooLarge: { code: 'IOP503', severity: 'error', title: 'A specification comes to too much' },
  invalidSetting: {
    code: 'IOP601',
    severity: 'error',
    title: 'The operator cannot run with these flags and environment variables',
  },
  unreadableFile: { code: 'IOP602', severity: 'error', title: 'A file cannot be read' },
  componentNotRendered: { code: 'IOP603', severity: 'error', title: 'A chosen component is not rendered' },
  operatorNotReady: {
    code: 'IOP604',
    severity: 'error',
    title: 'The operator does not become ready in time',
  },
  clusterRefuses: {
    code: 'IOP605',
    severity: 'error',
    title: 'The API server cannot be asked, or says no',
  },
  unusableCredentials: {
    code: 'IOP606',
    severity: 'error',
    title: 'The credentials for the cluster cannot be used',
  },
  cannotServe: { code: 'IOP607', severity: 'error', title: 'The operator cannot serve on an address' },
  notConfirmed: { code: 'IOP611', severity: 'error', title: 'A question was not answered with yes' },
  keptByOperator: {
    code: 'IOP612',
    severity: 'error',
    title: 'The operator in the cluster keeps this installation',
  },
  contested: { code: 'IOP613', severity: 'error', title: 'Objects belong to another installation' },
  noSuchInstallation: { code: 'IOP614', severity: 'error', title: 'There is no such installation' },
  notAccepted: { code: 'IOP615', severity: 'error', title: 'The API server does not accept an object' },
  notReadyInTime: { code: 'IOP616', severity: 'error', title: 'Something does not become ready in time' },
  notGone: { code: 'IOP617', severity: 'error', title: 'Something cannot be deleted' },
  unclearTarget: { code: 'IOP618', severity: 'error', title: 'What to uninstall is not said' },
  podExists: { code: 'IOP630', severity: 'error', title: 'A pod that exists cannot be injected any more' },
  podNotAccepted: { code: 'IOP631', severity: 'error', title: 'A pod of a workload cannot be created' },
  noInjectionWebhook: { code: 'IOP632', severity: 'error', title: 'The cluster has no injection webhook' },
  notInjected: { code: 'IOP633', severity: 'error', title: 'No injection webhook changed a pod' },
  noSuchRevision: { code: 'IOP660', severity: 'error', title: 'There is no such revision' },
  tagTaken: { code: 'IOP661', severity: 'error', title: 'A revision tag cannot be set' },
  noSuchTag: { code: 'IOP662', severity: 'error', title: 'There is no such revision tag' },
  tagKept: { code: 'IOP663', severity: 'error', title: 'A resource keeps this revision tag' },
  leftover: { code: 'IOP652', severity: 'warning', title: 'Something is left over' },
  injectionConflict: {
    code: 'IOP653',
    severity: 'warning',
    title: 'Pods are reached by two control planes, or by one that is not there',
  },
  foreignObject: { code: 'IOP654', severity: 'warning', title: 'An object would be taken over' },
  invalidFacts: { code: 'IOP634', severity: 'error', title: 'A file of cluster facts cannot be read' },
  resourceNotNamed: { code: 'IOP637', severity: 'error', title: 'A resource has no name or namespace' },
  unreadableProfiles: { code: 'IOP636', severity: 'error', title: 'Own profiles cannot be read' },
  faultOfOurs: { code: 'IOP699', severity: 'error', title: 'istio-operator itself is at fault' },
  unknownConfigPath: { code: 'IOP635', severity: 'error', title: 'A profile has nothing at a path' },
  wouldRestart: { code: 'IOP642', severity: 'error', title: 'Taking over would restart pods' },
  formerOperator: { code: 'IOP643', severity: 'error', title: 'A former operator still runs' },
  nothingToAdopt: { code: 'IOP644', severity: 'error', title: 'There is nothing to take over' },
  noSuchObject: { code: 'IOP640', severity: 'error', title: 'An installation has no such object' },
  noSuchField: { code: 'IOP641', severity: 'error', title: 'An object has no such field' },
} as const satisfies Readonly<Record<string, DiagnosticKind>>;

export type DiagnosticName = keyof typeof DIAGNOSTIC_KINDS;

export interface Finding {
  readonly path: FieldPath;
  /** What is wrong, without a full stop. */
  readonly cause: string;
  /** What to do, as a sentence. */
  readonly remedy: string;
  readonly position?: Position;
}

export function diagnose(name: DiagnosticName, finding: Finding): Diagnostic {
  const { code, severity } = DIAGNOSTIC_KINDS[name];
  const { path, cause, remedy, position } = finding;
  const diagnostic = { code, severity, path: printPath(path), cause, remedy };
  return position === undefined ? diagnostic : { ...diagnostic, position };
}

/** Leaves out what was told before of the same place; the first one counts, which may know its position. */
export function distinct(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const known = new Set<string>();
  return diagnostics.filter(({ code, path, cause }) => {
    const key = [code, path, cause].join('\0');
    const isNew = !known.has(key);
    known.add(key);
    return isNew;
  });
}
