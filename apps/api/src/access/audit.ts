import type { ApiKeys, AuditLog } from '#access';
import { mayAct } from '#contracts';
import type { FastifyRequest } from 'fastify';
import { callerOf } from './caller.js';

/** Writes down what operators did, and by which key. */
export class Audit {
  readonly #log: AuditLog;
  readonly #keys: ApiKeys;

  constructor(log: AuditLog, keys: ApiKeys) {
    this.#log = log;
    this.#keys = keys;
  }

  /**
   * Leaves out what others do with jobs of their own: they are no operators, and could fill the log.
   * @param action `queue.pause`, `job.cancel`, …
   * @param target what it was done to
   * @param detail in words
   */
  async record(request: FastifyRequest, action: string, target: string, detail = ''): Promise<void> {
    const caller = callerOf(request);
    if (!mayAct(caller, 'admin')) return;
    const { keyId } = caller;
    const actor = keyId === null ? null : { key_id: keyId, name: (await this.#keys.get(keyId))?.name ?? null };
    await this.#log.append({ actor, action, target, detail, request_id: request.id });
  }
}
