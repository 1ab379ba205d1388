import type { Readiness } from '#contracts';
import type { CallOptions, Transport } from './transport.js';

/** `/health`. */
export class HealthClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Whether the deployment can serve requests, and what is missing. Does not throw when it is not ready. */
  async ready(options: CallOptions = {}): Promise<Readiness> {
    const { body } = await this.#transport.json<Readiness>(
      { ...options, path: '/health/ready', accept: [503] },
      ({ missing, ready }) => typeof ready === 'boolean' && Array.isArray(missing),
    );
    return body;
  }
}
