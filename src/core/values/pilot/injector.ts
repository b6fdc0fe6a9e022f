/** What istiod reads about injection: the configuration with its templates, and the values that templates see. */
import type { JsonArray, JsonObject, JsonValue } from '../../../model/json.ts';
import { sortedEntries, textMap, textOf, truthy } from '../../go-values.ts';
import { printYaml } from '../../yaml.ts';
import type { ValuesReader } from '../reader.ts';

/** An injector of before 1.9 would use this key as its template, and fail visibly instead of injecting wrong pods. */
const LEGACY_TEMPLATE = '{{ Template_Version_And_Istio_Version_Mismatched_Check_Installation }}';

/** The text of `config`. Templates of the user replace built-in ones of the same name. */
export function injectorConfig(v: ValuesReader, builtIn: Readonly<Record<string, string>>): string {
  const own = v.map('sidecarInjectorWebhook', 'templates');
  const kept = Object.entries(builtIn).filter(([name]) => !Object.hasOwn(own, name));
  const added = sortedEntries(own).map(([name, text]) => [name, textOf(text).replace(/\n$/u, '')] as const);
  return printYaml({
    defaultTemplates: defaultTemplates(v),
    policy: v.any('global', 'proxy', 'autoInject'),
    alwaysInjectSelector: v.list('sidecarInjectorWebhook', 'alwaysInjectSelector'),
    neverInjectSelector: v.list('sidecarInjectorWebhook', 'neverInjectSelector'),
    injectedAnnotations: injectedAnnotations(v),
    template: LEGACY_TEMPLATE,
    templates: Object.fromEntries([...kept, ...added]),
  });
}

function defaultTemplates(v: ValuesReader): JsonArray {
  const given = v.list('sidecarInjectorWebhook', 'defaultTemplates');
  return given.length === 0 ? ['sidecar'] : given;
}

function injectedAnnotations(v: ValuesReader): JsonValue {
  const given = v.map('sidecarInjectorWebhook', 'injectedAnnotations');
  return truthy(given) ? textMap(given) : null;
}

/** Just the values that injection templates may read. */
export function injectorValues(v: ValuesReader): JsonObject {
  return {
    global: v.map('global'),
    sidecarInjectorWebhook: v.map('sidecarInjectorWebhook'),
    revision: v.text('revision'),
    pilot: { cni: v.map('cni'), env: v.map('env') },
    gateways: picked(v.map('gateways'), ['securityContext', 'seccompProfile']),
  };
}

function picked(map: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(map).filter(([key]) => keys.includes(key)));
}
