import type { LoggerService } from '@nestjs/common';
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

/** Nest's own messages in the same log; its start-up chatter is for debugging only. */
export class NestLog implements LoggerService {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.#write('debug', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.#write('error', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.#write('warn', message, rest);
  }

  #write(level: 'debug' | 'warn' | 'error', message: unknown, rest: readonly unknown[]): void {
    if (message instanceof Error) this.#log[level]({ err: message });
    else this.#log[level]({ context: rest.at(-1) }, String(message));
  }
}
