/** What `precheck` looks at: the IstioOperators of a cluster, or the one that files and flags describe. */
import { labelledOwner } from '../apply/claim.ts';
import type { SpecLayer } from '../core/plan.ts';
import { at } from '../model/json.ts';
import type { GroupVersionKind, K8sObject } from '../model/object.ts';
import { annotationsOf, labelsOf, namespaceOf } from '../model/object.ts';
import type { Owner } from '../model/plan.ts';
import type { InventoryEntry } from '../model/status.ts';
import type { CommandCluster, CommandEnvironment } from './environment.ts';
import type { Installation } from './installation.ts';
import { displayOwner, findInstallation, listInstallations } from './installation.ts';
import { annotationsIn, readLayers, setsOf } from './manifest-generate.ts';
import type { InstallationFlags } from './requested-installation.ts';
import { ownerFor } from './requested-installation.ts';

export interface Subject {
  readonly owner: Owner;
  readonly layers: readonly SpecLayer[];
  readonly sets: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  /** The version that is installed; undefined when none is. */
  readonly installed: string | undefined;
  readonly inventory: readonly InventoryEntry[];
}

/** Throws ClusterError, and a CommandError for files that cannot be read. */
export async function subjectsOf(
  environment: CommandEnvironment,
  cluster: CommandCluster,
  flags: InstallationFlags,
): Promise<readonly Subject[]> {
  const istiods = await cluster.list(DEPLOYMENT, { labelSelector: 'app=istiod', signal: environment.signal });
  const isAsked = flags.filename.length > 0 || flags.set.length > 0 || flags.revision !== undefined;
  if (isAsked) return [await requestedSubject(environment, cluster, { flags, istiods })];
  const installations = await listInstallations(cluster, { signal: environment.signal });
  return installations
    .filter(({ kind }) => kind === 'resource')
    .map((installation) => subjectOf(installation, istiods));
}

const DEPLOYMENT: GroupVersionKind = { apiVersion: 'apps/v1', kind: 'Deployment' };

function subjectOf(
  { owner, version, inventory, object }: Installation,
  istiods: readonly K8sObject[],
): Subject {
  return {
    owner,
    layers: [{ spec: at(object, 'spec') ?? {}, source: `IstioOperator ${displayOwner(owner)}` }],
    sets: [],
    annotations: annotationsOf(object),
    installed: version === '' ? labelledVersion(owner, istiods) : version,
    inventory,
  };
}

async function requestedSubject(
  environment: CommandEnvironment,
  cluster: CommandCluster,
  { flags, istiods }: { readonly flags: InstallationFlags; readonly istiods: readonly K8sObject[] },
): Promise<Subject> {
  const layers = await readLayers(environment, flags.filename);
  const place = { revision: flags.revision ?? '', namespace: 'istio-system' };
  const owner = ownerFor(layers, place, flags);
  const present = await findInstallation(cluster, owner, environment);
  const version = present?.version ?? '';
  return {
    owner,
    layers,
    sets: setsOf(flags),
    annotations: {
      ...(present === undefined ? {} : annotationsOf(present.object)),
      ...annotationsIn(layers),
    },
    installed: version === '' ? labelledVersion(owner, istiods) : version,
    inventory: present?.inventory ?? [],
  };
}

/** What the istiod of an owner says about itself, where no status does. */
function labelledVersion(owner: Owner, istiods: readonly K8sObject[]): string | undefined {
  const own = istiods.find((istiod) => {
    const labelled = labelledOwner(istiod);
    return labelled?.name === owner.name && (labelled.namespace ?? namespaceOf(istiod)) === owner.namespace;
  });
  return own && labelsOf(own)['operator.istio.io/version'];
}
