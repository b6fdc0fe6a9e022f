/** Rules about ports and address ranges. */
import type { JsonObject } from '../../../model/json.ts';
import { at, isJsonObject, listAt, numberAt } from '../../../model/json.ts';
import { diagnose } from '../../diagnostics.ts';
import { textOf, truthy } from '../../go-values.ts';
import type { Check } from './check.ts';
import { gatewaysOf } from './entries.ts';

/** The first port that any user may listen on. */
const FIRST_UNPRIVILEGED_PORT = 1024;

/** Gateways do not run as root, so they cannot listen on low ports. */
export const gatewayPorts: Check = (spec) =>
  gatewaysOf(spec).flatMap(({ gateway, path, valuesKey }) => {
    if (truthy(at(spec, 'values', 'gateways', valuesKey, 'runAsRoot'))) return [];
    return listAt(gateway, 'k8s', 'service', 'ports').flatMap((port, index) => {
      if (!isJsonObject(port) || !needsRoot(port)) return [];
      return [
        diagnose('privilegedPort', {
          path: [...path, 'k8s', 'service', 'ports', index],
          cause: `port ${textOf(port['name'])}/${textOf(port['port'])} has targetPort ${textOf(port['targetPort'] ?? 0)}, which only root may open`,
          remedy: `Set targetPort above ${FIRST_UNPRIVILEGED_PORT}, or values.gateways.${valuesKey}.runAsRoot to true.`,
        }),
      ];
    });
  });

function needsRoot(port: JsonObject): boolean {
  const target = port['targetPort'] ?? 0;
  if (typeof target !== 'number') return false;
  if (target !== 0) return target < FIRST_UNPRIVILEGED_PORT;
  return (numberAt(port, 'port') ?? 0) <= FIRST_UNPRIVILEGED_PORT;
}

const IPV4_RANGE = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/u;
const IPV6_RANGE = /^(?=[^/]*:)[\da-fA-F:.]+\/(\d{1,3})$/u;

/** An address with the length of its prefix. The inside of an IPv6 address is left to istiod. */
function isAddressRange(text: string): boolean {
  const [, ...parts] = IPV4_RANGE.exec(text) ?? [];
  if (parts.length > 0) return parts.every((part, index) => Number(part) <= (index === 4 ? 32 : 255));
  const length = IPV6_RANGE.exec(text)?.[1];
  return length !== undefined && Number(length) <= 128;
}

const RANGES: readonly {
  readonly field: string;
  readonly isValid: (item: string) => boolean;
  readonly remedy: string;
}[] = [
  ...['includeIPRanges', 'excludeIPRanges'].map((field) => ({
    field,
    isValid: isAddressRange,
    remedy: 'Use "*", or ranges such as 10.0.0.0/8 separated by commas.',
  })),
  ...['includeInboundPorts', 'excludeInboundPorts'].map((field) => ({
    field,
    isValid: (item: string) => /^\d{1,5}$/u.test(item) && Number(item) <= 65_535,
    remedy: 'Use "*", or ports from 0 to 65535 separated by commas.',
  })),
];

/** Which traffic is captured: lists of ranges and ports that the proxy's set-up must be able to read. */
export const proxyRanges: Check = (spec) =>
  RANGES.flatMap(({ field, isValid, remedy }) => {
    const text = textOf(at(spec, 'values', 'global', 'proxy', field));
    if (text === '' || text === '*') return [];
    const wrong = text.split(',').find((item) => !isValid(item.trim()));
    if (wrong === undefined) return [];
    const path = ['spec', 'values', 'global', 'proxy', field];
    return [diagnose('invalidRange', { path, cause: `"${wrong}" is not acceptable here`, remedy })];
  });
