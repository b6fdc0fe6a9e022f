/** Which images an installation needs: what a registry without a way to the internet has to hold. */
import type { JsonValue } from '../../model/json.ts';
import { at, listAt, mapAt, stringAt } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';
import type { PlannedComponent } from '../../model/plan.ts';
import { imageReference } from './image.ts';
import { readYaml } from '../yaml.ts';

/** Stands in pods whose image the injection webhook decides. */
const INJECTED_IMAGE = 'auto';

/**
 * The images of all workloads, and of what is injected into pods when there is an istiod to do so; sorted by code
 * units, each once.
 */
export function imagesOf(components: readonly PlannedComponent[]): readonly string[] {
  const rendered = components.flatMap(({ objects }) => objects.flatMap(imagesOfWorkload));
  const pilots = components.filter(({ component }) => component === 'Pilot');
  return [...new Set([...rendered, ...pilots.flatMap(injectedImages)])].toSorted();
}

function imagesOfWorkload(object: K8sObject): readonly string[] {
  const pod = ['spec', 'template', 'spec'];
  return ['initContainers', 'containers']
    .flatMap((list) => listAt(object, ...pod, list))
    .flatMap((container) => stringAt(container, 'image') ?? [])
    .filter((image) => image !== INJECTED_IMAGE);
}

/** The sidecar and its init container, as istiod puts their references together from its own configuration. */
function injectedImages(pilot: PlannedComponent): readonly string[] {
  const global = mapAt(configured(pilot, 'values'), 'global');
  const variant = at(configured(pilot, 'mesh'), 'defaultConfig', 'image', 'imageType') ?? '';
  return ['proxy', 'proxy_init'].flatMap((container) => {
    const image = stringAt(global, container, 'image');
    if (image === undefined) return [];
    return [imageReference({ hub: global['hub'] ?? '', tag: global['tag'] ?? '', image, variant })];
  });
}

function configured(pilot: PlannedComponent, key: string): JsonValue {
  const texts = pilot.objects.map((object) => stringAt(object, 'data', key));
  try {
    return readYaml(texts.find((text) => text !== undefined) ?? '{}');
  } catch {
    // An overlay can make anything of the text; istiod will say what it thinks of it.
    return {};
  }
}
