import type { Readiness } from '#contracts';
import type { CallOptions, Transport } from './transport.js';

/** `/health`. */
export class HealthClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Whether requests can be served, and what is missing; a deployment that is not ready is no error. */
  async ready(options: CallOptions = {}): Promise<Readiness> {
    const { body } = await this.#transport.json<Readiness>(
      { ...options, path: '/health/ready', accept: [503] },
      ({ missing, ready }) => typeof ready === 'boolean' && Array.isArray(missing),
    );
    return body;
  }
}
