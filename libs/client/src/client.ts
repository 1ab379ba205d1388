import { AdminClient } from './admin.js';
import { EmbeddingsClient } from './embeddings.js';
import { HealthClient } from './health.js';
import { JobsClient } from './jobs.js';
import { ModelsClient } from './models.js';
import { Transport, type TransportOptions } from './transport.js';

export type EmbedmillClientOptions = TransportOptions;

/**
 * A client of a deployment's REST API. It has neither connections nor state of its own: any number may be created.
 *
 * Methods throw `EmbedmillApiError` when the service responds with an error, `EmbedmillConnectionError` when there is
 * no response or it breaks off, and `EmbedmillProtocolError` when the response is not Embedmill's. Transient failures
 * are retried first.
 *
 * @example
 * const client = new EmbedmillClient({ baseUrl: 'http://127.0.0.1:8080', apiKey: process.env.EMBEDMILL_API_KEY });
 * const { vectors } = await client.embeddings.create({ model: 'all-MiniLM-L6-v2', input: 'a text' });
 */
export class EmbedmillClient {
  /** URL of the deployment, without a trailing slash. */
  readonly baseUrl: string;
  readonly embeddings: EmbeddingsClient;
  readonly models: ModelsClient;
  readonly jobs: JobsClient;
  readonly health: HealthClient;
  readonly admin: AdminClient;

  /** @throws TypeError when `baseUrl` is not an http or https URL */
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
