import type { AuditEntry } from '#contracts';
import type { AuditLog } from '#store';
import type { FastifyRequest } from 'fastify';

/** Writes down what operators did, and who it was. */
export class Audit {
  readonly #log: AuditLog;

  constructor(log: AuditLog) {
    this.#log = log;
  }

  /** @param action `queue.pause`, `job.cancel`, … @param target what it was done to @param detail in words */
  async record(request: FastifyRequest, action: string, target: string, detail = ''): Promise<void> {
    await this.#log.append({ actor: actorOf(request), action, target, detail, request_id: request.id });
  }
}

function actorOf(_request: FastifyRequest): AuditEntry['actor'] {
  return null;
}
