import { pino } from 'pino';
import type { Logger } from 'pino';
import { loggedError } from '#contracts';

export type Log = Logger;
/** Token of the process's log. */
export const LOG = Symbol('log');

/** JSON lines on standard output. */
export function createLog(level: string): Log {
  return pino({
    level,
    base: { service: 'worker', pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: loggedError },
  });
}
