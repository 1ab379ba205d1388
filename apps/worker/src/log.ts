import { pino } from 'pino';
import type { Logger } from 'pino';
import { loggedError } from '#contracts';

export type Log = Logger;
/** Injection token of the process's logger. */
export const LOG = Symbol('log');

/** Logs JSON lines to standard output. */
export function createLog(level: string): Log {
  return pino({
    level,
    base: { service: 'worker', pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: loggedError },
  });
}
