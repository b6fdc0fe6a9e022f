/** Somebody else in the cluster, who changes what the operator looks after. */
import type { JsonObject } from '../../../model/json.ts';
import { at, listAt, mapAt, stringAt } from '../../../model/json.ts';
import type { K8sObject, ObjectRef } from '../../../model/object.ts';
import type { ModelApi } from './model-api.ts';
import type { Act } from './schedule.ts';
import type { StationName, TargetName } from './stations.ts';
import { RESOURCE, resourceFor, TARGETS } from './stations.ts';

const EDITS: Readonly<Record<TargetName, (object: K8sObject) => JsonObject>> = {
  config: () => ({ data: { mesh: 'edited' } }),
  istiod: (object) => withImage(object, 'edited:1'),
  gateway: (object) => withImage(object, 'edited:1'),
  autoscaler: (object) => ({ spec: { ...mapAt(object, 'spec'), minReplicas: 5 } }),
  webhook: (object) => ({
    webhooks: listAt(object, 'webhooks').map((webhook) => ({
      ...mapAt(webhook),
      clientConfig: {
        ...mapAt(webhook, 'clientConfig'),
        service: { name: 'edited', namespace: 'edited' },
      },
    })),
  }),
};

function withImage(object: K8sObject, image: string): JsonObject {
  const spec = mapAt(object, 'spec');
  const containers = listAt(spec, 'template', 'spec', 'containers').map((item) => ({
    ...mapAt(item),
    image,
  }));
  return { spec: { ...spec, template: { spec: { containers } } } };
}

/** What the stored resource asks for; undefined when there is none, or it is on its way out. */
export function stationOf(api: ModelApi): StationName | undefined {
  const resource = api.read(RESOURCE);
  if (resource === undefined || at(resource, 'metadata', 'deletionTimestamp') !== undefined) return undefined;
  return stringAt(resource, 'spec', 'station') === 'full' ? 'full' : 'lean';
}

export class SecondActor {
  readonly #api: ModelApi;
  readonly #now: () => string;
  #recreation: StationName | undefined;

  constructor(api: ModelApi, now: () => string) {
    this.#api = api;
    this.#now = now;
  }

  /** What is still to be done. */
  get intention(): string {
    return this.#recreation ?? '';
  }

  act(act: Act): void {
    switch (act.kind) {
      case 'cut':
        this.#api.delete(TARGETS[act.target], { now: this.#now() });
        return;
      case 'edit':
        this.#edit(TARGETS[act.target], EDITS[act.target]);
        return;
      case 'usurp':
        this.#api.erase(TARGETS[act.target]);
        this.#api.update('somebody', TARGETS[act.target], (object) => object);
        return;
      case 'ask':
        this.ask(act.station);
        return;
      case 'remove':
        this.#api.delete(RESOURCE, { now: this.#now() });
        return;
      case 'recreate':
        this.#recreation = stationOf(this.#api);
        this.#api.delete(RESOURCE, { now: this.#now() });
        this.goOn();
        return;
      case 'replace':
        this.#replace();
    }
  }

  /** Sets the specification of a resource, which is made when there is none. */
  ask(station: StationName): void {
    this.#api.update('kubectl', RESOURCE, () => resourceFor(station));
  }

  /** Creates the resource again once the old one is gone. */
  goOn(): void {
    if (this.#recreation === undefined || this.#api.read(RESOURCE) !== undefined) return;
    this.ask(this.#recreation);
    this.#recreation = undefined;
  }

  /** By force, as when a backup is restored: another uid, another specification, and nothing of the old one left. */
  #replace(): void {
    const station = stationOf(this.#api);
    if (station === undefined) return;
    this.#api.erase(RESOURCE);
    this.ask(station === 'full' ? 'lean' : 'full');
  }

  #edit(ref: ObjectRef, edit: (object: K8sObject) => JsonObject): void {
    if (this.#api.read(ref) === undefined) return;
    this.#api.update('kubectl-edit', ref, (object) => ({ ...object, ...edit(object) }));
  }
}
