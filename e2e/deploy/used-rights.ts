/** What an account asked of the API server, as the audit log has it, in the terms of RBAC. */
import type { JsonValue } from '../../src/model/json.ts';
import { numberAt, stringAt } from '../../src/model/json.ts';
import type { Action } from './granted-rights.ts';
import { resourceOf } from './granted-rights.ts';

/** One kind of request that was answered; the same request is there once for each way in which it was answered. */
export interface Use extends Action {
  /** Empty for what is in no namespace, and for requests over all namespaces. */
  readonly namespace: string;
  /** Empty where the request names no object, as an ordinary create doesn't. */
  readonly name: string;
  /** The API server answered 403, whoever in it refused. */
  readonly isRefused: boolean;
}

/** All uses of resources by a user. What is no resource, such as discovery, needs no right of its own. */
export function usesIn(auditLog: string, user: string): readonly Use[] {
  const complete = auditLog.slice(0, auditLog.lastIndexOf('\n') + 1); // the last line may be written at this moment
  const uses = complete
    .split('\n')
    .filter((line) => line.includes(user))
    .map((line) => JSON.parse(line) as JsonValue) // what JSON.parse returns is a JsonValue by definition
    .filter((entry) => stringAt(entry, 'user', 'username') === user)
    .filter((entry) => stringAt(entry, 'objectRef', 'resource') !== undefined)
    .flatMap(usesOf);
  return [...new Map(uses.map((use) => [JSON.stringify(use), use])).values()];
}

export function describeUse({ verb, namespace, name, ...action }: Use): string {
  const object = [namespace, name].filter((part) => part !== '').join('/');
  return `${verb} ${resourceOf(action)} ${object}`.trimEnd();
}

/** The requests that carry no name in their URL, so that rights which are limited to names don't allow them. */
const NAMELESS: ReadonlySet<string> = new Set(['create', 'deletecollection']);

function usesOf(entry: JsonValue): readonly Use[] {
  const part = (key: string): string => stringAt(entry, 'objectRef', key) ?? '';
  const verb = stringAt(entry, 'verb') ?? '';
  const code = numberAt(entry, 'responseStatus', 'code') ?? 0;
  const subresource = part('subresource');
  const use: Use = {
    group: part('apiGroup'),
    resource: subresource === '' ? part('resource') : `${part('resource')}/${subresource}`,
    verb,
    namespace: part('namespace'),
    name: NAMELESS.has(verb) ? '' : part('name'),
    isRefused: code === 403,
  };
  // An apply that makes its object takes the right to create it as well, under its name.
  return verb === 'patch' && code === 201 ? [use, { ...use, verb: 'create' }] : [use];
}
