/**
 * Places where people keep secrets in a specification, each beside a fault for which the API server, or our own
 * validation, may quote what stands there.
 */
import type { JsonObject, JsonValue } from '../../src/model/json.ts';

export interface CanaryPlace {
  readonly name: string;
  /** A specification with the secret in that place. */
  spec(canary: string): JsonObject;
}

const CONTAINER = 'spec.template.spec.containers.[name:discovery]';

function pilot(k8s: JsonObject): JsonObject {
  return { profile: 'minimal', components: { pilot: { k8s } } };
}

function overlaid(kind: string, name: string, path: string, value: JsonValue): JsonObject {
  return pilot({ overlays: [{ kind, name, patches: [{ path, value }] }] });
}

function deployment(path: string, value: JsonValue): JsonObject {
  return overlaid('Deployment', 'istiod', path, value);
}

export const CANARY_PLACES: readonly CanaryPlace[] = [
  {
    name: 'an environment variable that is a map',
    spec: (canary) => deployment(`${CONTAINER}.env.[name:REVISION].value`, { password: canary }),
  },
  {
    name: 'an environment variable that is a map, in the settings',
    spec: (canary) => pilot({ env: [{ name: 'TOKEN', value: { password: canary } }] }),
  },
  {
    name: 'an environment variable beside an invalid one',
    spec: (canary) =>
      pilot({
        env: [
          { name: 'TOKEN', value: canary },
          { name: 'not a name', value: canary },
        ],
      }),
  },
  {
    name: 'the list of environment variables',
    spec: (canary) => pilot({ env: canary }),
  },
  {
    name: 'an argument that is a map',
    spec: (canary) => deployment(`${CONTAINER}.args.[-1]`, { token: canary }),
  },
  {
    name: 'a label that no label can be',
    spec: (canary) => deployment('spec.template.metadata.labels.token', `${canary} with blanks`),
  },
  {
    name: 'an annotation that is a map',
    spec: (canary) => deployment('spec.template.metadata.annotations.token', { secret: canary }),
  },
  {
    name: 'the data of a ConfigMap that is a list',
    spec: (canary) => overlaid('ConfigMap', 'istio', 'data.token', [canary]),
  },
  {
    name: 'the name of a pull secret',
    spec: (canary) => pilot({ imagePullSecrets: [`${canary} of ours`] }),
  },
  {
    name: 'the name of a mounted secret',
    spec: (canary) =>
      deployment('spec.template.spec.volumes.[-1]', { name: 'token', secret: { secretName: [canary] } }),
  },
  {
    name: 'a number of replicas',
    spec: (canary) => deployment('spec.replicas', canary),
  },
  {
    name: 'a node selector that no label can be',
    spec: (canary) => pilot({ nodeSelector: { zone: `${canary} with blanks` } }),
  },
  {
    name: 'the header of a probe that is a map',
    spec: (canary) =>
      deployment(`${CONTAINER}.readinessProbe.httpGet.httpHeaders`, [
        { name: 'Authorization', value: { bearer: canary } },
      ]),
  },
  {
    name: 'a quantity',
    spec: (canary) => deployment(`${CONTAINER}.resources.requests.memory`, canary),
  },
];

/** How a secret could stand in a text: as it is, or in an encoding that hides nothing. */
export function formsOf(canary: string): readonly string[] {
  const bytes = Buffer.from(canary);
  // Base64 of a part of a longer text depends on where the part begins.
  const shifted = [0, 1, 2].map((pad) => {
    const encoded = Buffer.concat([Buffer.alloc(pad, ' '), bytes]).toString('base64');
    return encoded.slice(pad === 0 ? 0 : 4, -4);
  });
  return [canary, bytes.toString('hex'), encodeURIComponent(canary), ...shifted];
}
