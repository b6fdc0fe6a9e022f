/** The process's log: one JSON object a line, through winston. */
import type { Writable } from 'node:stream';
import winston from 'winston';
import type { LogFields, Logger } from '../model/logger.ts';
import { redactFields } from './redact.ts';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerSettings {
  readonly level: LogLevel;
  /** Where lines go; the operator gives standard output, the command line standard error. */
  readonly output: Writable;
  /** Such as the version and the pod's name; part of every line. */
  readonly fields?: LogFields;
}

/** Lines have `time`, `level` and `message`, then the fields; secrets are taken out of them (see redact.ts). */
export function createLogger({ level, output, fields = {} }: LoggerSettings): Logger {
  const logger = winston.createLogger({
    level,
    format: winston.format.printf(({ level: severity, message, fields: own }) => {
      const head = { time: new Date().toISOString(), level: severity, message };
      // Twice: the first for its place in the line, the second because no field may pose as one of the three.
      return JSON.stringify({
        ...head,
        ...redactFields({ ...fields, ...(own as LogFields | undefined) }),
        ...head,
      });
    }),
    transports: [new winston.transports.Stream({ stream: output })],
  });
  const log =
    (severity: LogLevel) =>
    (message: string, own: LogFields = {}): void => {
      logger.log({ level: severity, message, fields: own });
    };
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
}

/** Logs nothing. */
export const NO_LOGGER: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
