import type { EmbeddingsResponse, embeddingsRequestSchema } from '#contracts';
import type { z } from 'zod';
import { floatsOf } from './floats.js';
import type { CallOptions, Transport } from './transport.js';

/** Body of `POST /v1/embeddings`, without the encoding: vectors are sent as base64 and returned as `Float32Array`. */
export type EmbeddingsRequest = Omit<z.input<typeof embeddingsRequestSchema>, 'encoding_format' | 'input'> & {
  /** A text, a list of texts, or cl100k token ids in place of a text. */
  readonly input: string | readonly string[] | readonly number[] | readonly (readonly number[])[];
};

export interface Embeddings {
  /** Name of the served model. */
  readonly model: string;
  /** `[inputs][dimensions]`, in the order of the input. */
  readonly vectors: Float32Array[];
  readonly usage: EmbeddingsResponse['usage'];
  /** Number of texts whose vectors came from the cache. */
  readonly cached: number;
  /** Name of the model's prompt before each text, or `instruction`; null: none. */
  readonly prompt: string | null;
  /** Indexes of texts that were longer than the model's limit and were truncated; at most the first 100. */
  readonly truncated: readonly number[];
}

/**
 * Time that the service holds a request by default, ms. `answerTimeoutMs` is added to it, so that the service's own
 * time-out error arrives before the client gives up.
 */
const HELD_MS = 60_000;

/** `POST /v1/embeddings`: embeds a few texts while the caller waits. */
export class EmbeddingsClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Embeds texts and waits for their vectors.
   *
   * @example
   * const { vectors } = await client.embeddings.create({ model: 'all-MiniLM-L6-v2', input: ['first', 'second'] });
   *
   * @throws EmbedmillApiError 400 with the invalid text in `param`, 404 `model_not_found`, 429 `too_many_waiting`,
   *   500 `inference_failed`, 504 `wait_timeout`; docs/api.md lists all
   */
  async create(request: EmbeddingsRequest, options: CallOptions = {}): Promise<Embeddings> {
    const json = JSON.stringify({ ...request, encoding_format: 'base64' });
    const { body, headers } = await this.#transport.json<EmbeddingsResponse>(
      {
        ...options,
        method: 'POST',
        path: '/v1/embeddings',
        contentType: 'application/json',
        body: () => json,
        heldMs: HELD_MS,
      },
      ({ data, object }) => object === 'list' && Array.isArray(data),
    );
    return {
      model: body.model,
      vectors: body.data.map(({ embedding }) => floatsOf(embedding as string)),
      usage: body.usage,
      cached: Number(headers.get('x-embedmill-cached') ?? 0),
      prompt: promptOf(headers.get('x-embedmill-prompt') ?? 'none'),
      truncated: (headers.get('x-embedmill-truncated') ?? '').split(',').filter(Boolean).map(Number),
    };
  }
}

/** The service percent-encodes what a header cannot hold. */
function promptOf(header: string): string | null {
  return header === 'none' ? null : decodeURIComponent(header);
}
