/**
 * The tests' own view of the cluster: plain calls as the administrator. It shares no code with the transport under
 * test, so that a fault there can't hide itself.
 */
import { Agent, request } from 'undici';
import type { JsonValue } from '../../src/model/json.ts';

export interface ApiResponse {
  readonly status: number;
  /** The parsed body; a body that isn't JSON is a string, an absent one null. */
  readonly body: JsonValue;
}

export interface Api {
  /**
   * Makes one call. A `body` that is a text is sent as it is. `path` begins with a slash; `contentType` tells the kind of a PATCH. Rejects only when there is
   * no answer: what the status means is the caller's to decide.
   */
  request(method: Method, path: string, body?: JsonValue, contentType?: string): Promise<ApiResponse>;
  /** Closes its connections; calls under way are cut off. */
  close(): Promise<void>;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface ApiAddress {
  readonly server: string;
  readonly certificateAuthority: string;
  readonly token: string;
  /** Calls as this user, which the one of the token must be allowed to do. */
  readonly impersonate?: string;
}

const CALL_TIMEOUT_MS = 10_000;

export function connectApi({ server, certificateAuthority, token, impersonate }: ApiAddress): Api {
  const dispatcher = new Agent({
    connect: { ca: certificateAuthority },
    headersTimeout: CALL_TIMEOUT_MS,
    bodyTimeout: CALL_TIMEOUT_MS,
  });
  return {
    async request(method, path, body, contentType = 'application/json') {
      const response = await request(`${server}${path}`, {
        method,
        dispatcher,
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          ...(impersonate === undefined ? {} : { 'impersonate-user': impersonate }),
          ...(body === undefined ? {} : { 'content-type': contentType }),
        },
        body: printed(body),
      });
      return { status: response.statusCode, body: parse(await response.body.text()) };
    },
    close: () => dispatcher.destroy(),
  };
}

function printed(body: JsonValue | undefined): string | null {
  if (body === undefined) return null;
  return typeof body === 'string' ? body : JSON.stringify(body);
}

function parse(text: string): JsonValue {
  if (text === '') return null;
  try {
    return JSON.parse(text) as JsonValue; // what JSON.parse returns is a JsonValue by definition
  } catch {
    return text; // such as the "ok" of /readyz
  }
}
