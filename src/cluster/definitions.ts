/**
 * Follows the definitions of kinds (CustomResourceDefinitions), so that nobody has to ask the server again and again
 * whether it serves a kind by now.
 */
import { groupOfDefinition } from './resource-path.ts';
import type { DefinitionSight, ReflectorDeps } from './reflector.ts';
import { Reflector } from './reflector.ts';
import { ObjectStore } from './store.ts';

const DEFINITION = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' } as const;

// Definitions are the largest objects of a cluster, and others' may be thousands.
const IDENTITIES = { metadataOnly: true, identityOnly: true } as const;

interface Following {
  readonly store: ObjectStore;
  readonly reflector: Reflector;
}

/**
 * One watch for all kinds that are waited for, opened when the first one is. What it holds cannot tell whether a
 * definition is established: every change of one is news, and discovery has the last word.
 */
export class Definitions implements DefinitionSight {
  readonly #deps: ReflectorDeps;
  #following: Following | undefined;

  constructor(deps: ReflectorDeps) {
    this.#deps = deps;
  }

  follow(): void {
    this.#following ??= this.#start();
  }

  sightOf(name: string | undefined): ReturnType<DefinitionSight['sightOf']> {
    if (this.#following?.reflector.state !== 'live') return 'unknown';
    const isHeld = name !== undefined && this.#following.store.get({ ...DEFINITION, name }) !== undefined;
    return isHeld ? 'present' : 'absent';
  }

  stop(): void {
    this.#following?.reflector.stop();
    this.#following = undefined;
  }

  #start(): Following {
    const { discovery, logger } = this.#deps;
    const store = new ObjectStore(logger);
    store.onChange(({ type, object }) => {
      const group = groupOfDefinition(object.metadata.name);
      if (type === 'deleted') discovery.forget(group);
      else discovery.definitionsChanged(group);
    });
    return {
      store,
      reflector: new Reflector(this.#deps, { kind: DEFINITION, selection: IDENTITIES }, store),
    };
  }
}
