import type { Logger } from '../../model/logger.ts';

/** For tests that do not look at the log. */
export const SILENT_LOGGER: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
