import { AdminClient } from './admin.js';
import { EmbeddingsClient } from './embeddings.js';
import { HealthClient } from './health.js';
import { JobsClient } from './jobs.js';
import { ModelsClient } from './models.js';
import { Transport, type TransportOptions } from './transport.js';

export type EmbedmillClientOptions = TransportOptions;

/**
 * A client of a deployment's REST API. It holds no connection and no state: make one, or many.
 *
 * Methods throw `EmbedmillApiError` when the service says no, `EmbedmillConnectionError` when nothing answers, and
 * `EmbedmillProtocolError` when what answers is no Embedmill. Failures that may pass are tried again first.
 *
 * @example
 * const client = new EmbedmillClient({ baseUrl: 'http://127.0.0.1:8080', apiKey: process.env.EMBEDMILL_API_KEY });
 * const { vectors } = await client.embeddings.create({ model: 'all-MiniLM-L6-v2', input: 'a text' });
 */
export class EmbedmillClient {
  /** Of the deployment, without a slash at its end. */
  readonly baseUrl: string;
  readonly embeddings: EmbeddingsClient;
  readonly models: ModelsClient;
  readonly jobs: JobsClient;
  readonly health: HealthClient;
  readonly admin: AdminClient;

  /** @throws TypeError for a `baseUrl` that is no address */
  constructor(options: EmbedmillClientOptions) {
    const transport = new Transport(options);
    this.baseUrl = transport.baseUrl;
    this.embeddings = new EmbeddingsClient(transport);
    this.models = new ModelsClient(transport);
    this.jobs = new JobsClient(transport);
    this.health = new HealthClient(transport);
    this.admin = new AdminClient(transport);
  }
}
