/** How the API server reaches a webhook. */
import type { JsonObject, JsonValue } from '../../model/json.ts';

/** A URL if one is given, else a Service; with the authority when it is known. */
export function webhookClient(options: {
  readonly url: JsonValue;
  readonly service: JsonObject;
  readonly caBundle: JsonValue;
}): JsonObject {
  const place = options.url === null ? { service: options.service } : { url: options.url };
  return options.caBundle === null ? place : { ...place, caBundle: options.caBundle };
}
