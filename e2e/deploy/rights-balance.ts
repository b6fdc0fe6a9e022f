/** Holds the rights that an account has against what it asked for: which it lacks, and which it does not need. */
import type { Grant, Place } from './granted-rights.ts';
import { WHOLE_CLUSTER } from './granted-rights.ts';
import type { Use } from './used-rights.ts';

export interface Balance {
  /** What was refused. */
  readonly refused: readonly Use[];
  /** What was allowed although no grant says so: then the grants are not all there is. */
  readonly unexplained: readonly Use[];
  /**
   * Rights without which every request would have been allowed as well. A right that two roles give in the same place is
   * needed in neither, unless one of them is needed somewhere else.
   */
  readonly needless: readonly Grant[];
  /** Of the needless ones, those that allowed some request, if not alone. */
  readonly doubled: readonly Grant[];
  /** Bindings that allowed nothing. */
  readonly idleBindings: readonly string[];
}

export function balanceOf(grants: readonly Grant[], uses: readonly Use[]): Balance {
  const allowed = uses
    .filter(({ isRefused }) => !isRefused)
    .map((use) => ({ use, by: grants.filter((grant) => placesFor(grant, use).length > 0) }));
  const atWork = new Set(allowed.flatMap(({ by }) => by));
  const alone = new Set(allowed.flatMap(({ by }) => (rolesOf(by).size === 1 ? by : [])));
  const needless = grants.filter((grant) => !alone.has(grant));
  const working = new Set(
    allowed.flatMap(({ use, by }) =>
      by.flatMap((grant) => placesFor(grant, use).map(({ binding }) => binding)),
    ),
  );
  const bindings = new Set(grants.flatMap(({ places }) => places.map(({ binding }) => binding)));
  return {
    refused: uses.filter(({ isRefused }) => isRefused),
    unexplained: allowed.filter(({ by }) => by.length === 0).map(({ use }) => use),
    needless,
    doubled: needless.filter((grant) => atWork.has(grant)),
    idleBindings: [...bindings].filter((binding) => !working.has(binding)),
  };
}

/** The places of a grant in which it allows a request. */
function placesFor(grant: Grant, use: Use): readonly Place[] {
  const isAbout =
    grant.group === use.group &&
    grant.resource === use.resource &&
    grant.verb === use.verb &&
    (grant.name === undefined || grant.name === use.name);
  if (!isAbout) return [];
  return grant.places.filter(
    ({ namespace }) => namespace === WHOLE_CLUSTER || (namespace !== '' && namespace === use.namespace),
  );
}

function rolesOf(grants: readonly Grant[]): ReadonlySet<string> {
  return new Set(grants.map(({ role }) => role));
}
