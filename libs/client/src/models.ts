import type { ModelList, ModelObject } from '#contracts';
import type { CallOptions, Transport } from './transport.js';

/** `/v1/models`. */
export class ModelsClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The models that workers have registered. */
  async list(options: CallOptions = {}): Promise<ModelObject[]> {
    const { body } = await this.#transport.json<ModelList>(
      { ...options, path: '/v1/models' },
      ({ data, object }) => object === 'list' && Array.isArray(data),
    );
    return body.data;
  }

  /** @throws EmbedmillApiError 404 `model_not_found` */
  async get(name: string, options: CallOptions = {}): Promise<ModelObject> {
    const { body } = await this.#transport.json<ModelObject>(
      { ...options, path: `/v1/models/${encodeURIComponent(name)}` },
      ({ object }) => object === 'model',
    );
    return body;
  }
}
