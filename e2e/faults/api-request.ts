/** What a request to the API server is about, read from its line alone. */

/**
 * - `apply`: server-side apply; whether it creates or changes is told only by the answer (201 or 200).
 * - `dryRun`: any write that changes nothing.
 * - `status`: a write of a status subresource.
 * - `lease`, `event`: any call for these, reads and watches included.
 * - `discovery`: what is served: `/api`, `/apis`, and the groups below.
 * - `other`: `/version`, probes and whatever else names no object.
 */
export type RequestClass =
  | 'get'
  | 'list'
  | 'watch'
  | 'create'
  | 'apply'
  | 'patch'
  | 'update'
  | 'dryRun'
  | 'status'
  | 'delete'
  | 'lease'
  | 'event'
  | 'discovery'
  | 'other';

export interface ApiRequest {
  readonly method: string;
  /** With its query, as it was sent. */
  readonly url: string;
  readonly class: RequestClass;
  /** Empty for the core group and for what is no resource. */
  readonly group: string;
  /** In the plural, such as `deployments`; empty for what is no resource. */
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  /** Empty for a collection. */
  readonly name: string;
  /** Whether it may change what is stored. Leases and events count too. */
  readonly isWrite: boolean;
}

export interface RequestLine {
  readonly method: string;
  readonly url: string;
  readonly contentType?: string | undefined;
}

/** Never throws: what is not understood is of the class `other`. */
export function readRequest({ method, url, contentType = '' }: RequestLine): ApiRequest {
  const { pathname, searchParams } = new URL(url, 'http://api');
  const place = placeOf(pathname);
  const isWrite = method !== 'GET' && method !== 'HEAD' && !searchParams.has('dryRun');
  const verb = (): RequestClass => {
    if (method === 'GET' || method === 'HEAD') return readClass(place, searchParams);
    if (searchParams.has('dryRun')) return 'dryRun';
    if (place.subresource === 'status') return 'status';
    if (method === 'PATCH') return contentType.includes('apply-patch') ? 'apply' : 'patch';
    return WRITE_CLASSES[method] ?? 'other';
  };
  return { method, url, class: SPECIAL_CLASSES[place.resource] ?? verb(), ...place, isWrite };
}

/** Names the object for people and as a key, such as `deployments.apps istio-system/istiod`. */
export function objectOf({ group, resource, namespace, name }: ApiRequest): string {
  const kind = group === '' ? resource : `${resource}.${group}`;
  return `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
}

/** Resources whose calls form a class of their own, whatever the verb. */
const SPECIAL_CLASSES: Readonly<Record<string, RequestClass>> = {
  leases: 'lease',
  events: 'event',
  '': 'discovery',
  '-': 'other',
};

const WRITE_CLASSES: Readonly<Record<string, RequestClass>> = {
  POST: 'create',
  PUT: 'update',
  DELETE: 'delete',
};

type Place = Pick<ApiRequest, 'group' | 'resource' | 'subresource' | 'namespace' | 'name'>;

/** A namespace's own subresources look like collections in it, so they are told apart by name. */
const PLACE = new RegExp(
  '^/(?:api/[^/]+|apis(?:/(?<group>[^/]+)(?:/[^/]+)?)?|api)' +
    '(?:/namespaces/(?<namespace>[^/]+)(?=/(?!status$|finalize$)[^/]))?' +
    '(?:/(?<resource>[^/]+))?(?:/(?<name>[^/]+))?(?:/(?<subresource>[^/]+))?$',
  'u',
);

const NO_RESOURCE: Place = { group: '', resource: '-', subresource: '', namespace: '', name: '' };

function placeOf(pathname: string): Place {
  const found = PLACE.exec(pathname)?.groups;
  if (found === undefined) return NO_RESOURCE;
  const part = (name: keyof Place): string => found[name] ?? '';
  return {
    group: part('group'),
    resource: part('resource'),
    subresource: part('subresource'),
    namespace: part('namespace'),
    name: part('name'),
  };
}

function readClass({ name }: Place, query: URLSearchParams): RequestClass {
  if (query.get('watch') === 'true' || query.get('watch') === '1') return 'watch';
  return name === '' ? 'list' : 'get';
}
