import type { ApiKeys, AuditLog } from '#access';
import { mayAct } from '#contracts';
import type { FastifyRequest } from 'fastify';
import { callerOf } from './caller.js';

/** Records the actions of operators in the audit log, with the API key that acted. */
export class Audit {
  readonly #log: AuditLog;
  readonly #keys: ApiKeys;

  constructor(log: AuditLog, keys: ApiKeys) {
    this.#log = log;
    this.#keys = keys;
  }

  /**
   * Appends an entry if the caller has scope `admin`. Other callers act on their own jobs only, and could fill the log.
   * @param action `queue.pause`, `job.cancel`, …
   * @param target what was acted on: a job id, `model/lane`, a key id, …
   * @param detail free text
   */
  async record(request: FastifyRequest, action: string, target: string, detail = ''): Promise<void> {
    const caller = callerOf(request);
    if (!mayAct(caller, 'admin')) return;
    const { keyId } = caller;
    const actor = keyId === null ? null : { key_id: keyId, name: (await this.#keys.get(keyId))?.name ?? null };
    await this.#log.append({ actor, action, target, detail, request_id: request.id });
  }
}
