/** `istio-operator plan`: what a reconcile would do, counted. */
import { approvalCommand, planHash } from '../apply/plan-hash.ts';
import { printYaml } from '../core/yaml.ts';
import type { JsonValue } from '../model/json.ts';
import { EXIT } from './command-error.ts';
import { actualChanges, countsTable, describeChange } from './changes.ts';
import type { ClusterChoice, CommandEnvironment } from './environment.ts';
import { displayOwner } from './installation.ts';
import { kubectlName } from './object-name.ts';
import type { Prospect } from './prospect.ts';
import { prospectOf, refuseFailures } from './prospect.ts';
import type { InstallationFlags } from './requested-installation.ts';
import { withConnection } from './session.ts';

export interface PlanOptions extends InstallationFlags, ClusterChoice {
  readonly output: 'table' | 'wide' | 'yaml' | 'json' | 'name';
}

/** Prints counts per action, with `wide` each change too, and the hash by which it can be approved. Changes nothing. */
export async function showPlan(environment: CommandEnvironment, options: PlanOptions): Promise<number> {
  const prospect = await withConnection(environment, options, (connection) =>
    prospectOf(environment, connection, options),
  );
  environment.terminal.print(PRINTERS[options.output](prospect));
  refuseFailures(prospect);
  return EXIT.ok;
}

const PRINTERS: Readonly<Record<PlanOptions['output'], (prospect: Prospect) => string>> = {
  table: (prospect) => countsTable(prospect.plan, prospect.preview) + approvalLine(prospect),
  wide: (prospect) =>
    countsTable(prospect.plan, prospect.preview) +
    actualChanges(prospect.preview)
      .map(({ change }) => `${describeChange(change)}\n`)
      .join('') +
    approvalLine(prospect),
  yaml: (prospect) => printYaml(asData(prospect)),
  name: ({ preview }) =>
    actualChanges(preview)
      .map(({ change }) => `${kubectlName(change.ref)}\n`)
      .join(''),
  json: (prospect) => `${JSON.stringify(asData(prospect), null, 2)}\n`,
};

/** How to approve the plan, where a resource asks for approval; a plan that changes nothing needs none. */
function approvalLine({ owner, plan, present, preview }: Prospect): string {
  if (present?.kind !== 'resource' || actualChanges(preview).length === 0) return '';
  const hash = planHash(plan, preview);
  return `Plan ${hash}; approve it with: ${approvalCommand(owner, hash)}\n`;
}

function asData({ owner, plan, preview }: Prospect): JsonValue {
  return {
    hash: planHash(plan, preview),
    installation: displayOwner(owner),
    profile: plan.profile,
    revision: plan.revision === '' ? 'default' : plan.revision,
    version: plan.version,
    changes: preview.changes.map(({ change: { ref, action, fields, changedBy } }) => ({
      ...ref,
      action,
      fields,
      changedBy,
    })),
  };
}
