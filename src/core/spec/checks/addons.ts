/** Rules about telemetry addons: what is elsewhere needs an address, and tracers have moved. */
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { JsonObject } from '../../../model/json.ts';
import { at, mapAt } from '../../../model/json.ts';
import { diagnose } from '../../diagnostics.ts';
import { textOf, truthy } from '../../go-values.ts';
import type { Check } from './check.ts';

/** Which addons ask an addon, and so need its address when it is not installed here. */
const ASKED_BY: Readonly<Record<string, readonly string[]>> = {
  prometheus: ['grafana', 'kiali'],
  grafana: ['kiali'],
  tracing: ['grafana', 'kiali'],
  loki: ['grafana'],
};

/** Warnings: an addon is used that is elsewhere, and nobody says where. */
export const addonAddresses: Check = (spec) => {
  const addons = mapAt(spec, 'addonComponents');
  const unknown = Object.entries(ASKED_BY).flatMap(([name, askers]) => {
    const asking = askers.filter((asker) => isInstalled(mapAt(addons, asker)));
    const settings = mapAt(addons, name);
    const isLost = isElsewhere(settings) && textOf(settings['url']) === '' && asking.length > 0;
    return isLost ? [addressMissing(name, 'url', `${asking.join(' and ')} cannot find it`)] : [];
  });
  return [...unknown, ...lostTraces(spec)];
};

function lostTraces(spec: JsonObject): readonly Diagnostic[] {
  const settings = mapAt(spec, 'addonComponents', 'tracing');
  const isKnown = textOf(settings['collector']) !== '' || formerZipkinAddress(spec) !== '';
  if (!isElsewhere(settings) || isKnown) return [];
  return [addressMissing('tracing', 'collector', 'proxies send no traces')];
}

function addressMissing(name: string, field: string, consequence: string): Diagnostic {
  return diagnose('addonWithoutAddress', {
    path: ['spec', 'addonComponents', name, field],
    cause: `nothing says where ${name} is: ${consequence}`,
    remedy: `Set ${field}, or use mode: bundled.`,
  });
}

function isElsewhere(settings: JsonObject): boolean {
  return settings['enabled'] === true && ['external', 'monitors'].includes(textOf(settings['mode']));
}

function isInstalled(settings: JsonObject): boolean {
  return settings['enabled'] === true && !isElsewhere(settings);
}

/** Where proxies send their traces instead, by each tracer that `values.global.tracer` knows. */
const SUCCESSORS: Readonly<Record<string, string>> = {
  zipkin: 'spec.addonComponents.tracing with mode: external, protocol: zipkin and collector',
  lightstep: 'spec.addonComponents.tracing with mode: external, protocol: opentelemetry and collector',
  datadog: 'an extension provider of kind datadog in spec.meshConfig and a Telemetry resource',
};

/** Warnings: tracers as older releases had them, each with what becomes of it and what to write now. */
export const formerTracers: Check = (spec) => {
  const chosen = textOf(at(spec, 'values', 'global', 'proxy', 'tracer'));
  return Object.entries(SUCCESSORS).flatMap(([tracer, successor]) => {
    const given = mapAt(spec, 'values', 'global', 'tracer', tracer);
    if (!Object.values(given).some(truthy)) return [];
    const path = ['spec', 'values', 'global', 'tracer', tracer];
    const remedy = `Use ${successor}.`;
    if (tracer === 'zipkin' && readsFormerAddress(spec)) {
      const cause = 'its address is read as addonComponents.tracing.collector, with protocol zipkin';
      return [diagnose('movedField', { path, cause, remedy })];
    }
    const cause =
      chosen === tracer
        ? 'it goes to proxies by their bootstrap, and any Telemetry resource with tracing overrides it'
        : `nothing reads it, because values.global.proxy.tracer is not ${tracer}`;
    return [diagnose('formerTracer', { path, cause, remedy })];
  });
};

/** Whether the addon takes its collector from the place of older releases. */
function readsFormerAddress(spec: JsonObject): boolean {
  const settings = mapAt(spec, 'addonComponents', 'tracing');
  return isElsewhere(settings) && textOf(settings['collector']) === '';
}

function formerZipkinAddress(spec: JsonObject): string {
  return textOf(at(spec, 'values', 'global', 'tracer', 'zipkin', 'address'));
}
