import { createHash } from 'node:crypto';
import {
  type EmbeddingsResponse,
  embeddingsResponseSchema,
  type HistoryRange,
  historySchema,
  type JobObject,
  jobObjectSchema,
  jobResultsPageSchema,
  type Snapshot,
  snapshotSchema,
} from '#contracts';
import type { HistoryTotals } from './recording.js';

/** A client of the REST API with, or without, an API key. */
export class Caller {
  readonly #url: string;
  readonly #key: string | undefined;

  constructor(url: string, key?: string) {
    this.#url = url;
    this.#key = key;
  }

  /** Whatever it answers. @param body absent: GET */
  send(path: string, body?: object, how: RequestInit = {}): Promise<Response> {
    return fetch(new URL(path, this.#url), {
      method: body === undefined ? 'GET' : 'POST',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...how,
      headers: {
        ...(this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(how.headers as Record<string, string> | undefined),
      },
    });
  }

  /** @throws with the answer unless it is a success */
  async expect(path: string, body?: object, how?: RequestInit): Promise<Response> {
    const response = await this.send(path, body, how);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  async json(path: string, body?: object, how?: RequestInit): Promise<unknown> {
    return (await this.expect(path, body, how)).json();
  }

  async job(id: string): Promise<JobObject> {
    return jobObjectSchema.parse(await this.json(`/v1/jobs/${id}`));
  }

  /** Vectors of a final job, `[texts, dimensions]`; NaN where there is none. */
  async vectors(job: JobObject): Promise<Float32Array[]> {
    const { counts, dimensions = 0, links } = job;
    const floats = new Float32Array(await (await this.expect(`${links.results}?format=f32`)).arrayBuffer());
    return Array.from({ length: counts.texts }, (_, row) => floats.slice(row * dimensions, (row + 1) * dimensions));
  }

  /** Hex SHA-256 of a final job's vectors. */
  async digest(job: JobObject): Promise<string> {
    const bytes = await (await this.expect(`${job.links.results}?format=f32`)).arrayBuffer();
    return createHash('sha256').update(new Uint8Array(bytes)).digest('hex');
  }

  /** What a job has so far: index -> base64 of the vector, and errors. Asked one by one: a page ends at the first gap. */
  async settled(job: JobObject): Promise<{ rows: Record<string, string>; errors: [index: number, code: string][] }> {
    const rows: Record<string, string> = {};
    const errors: [number, string][] = [];
    for (let index = 0; index < job.counts.texts; index++) {
      const path = `${job.links.results}?cursor=${index}&limit=1&encoding_format=base64`;
      const [result] = jobResultsPageSchema.parse(await this.json(path)).data;
      if (result === undefined) continue;
      if ('error' in result) errors.push([index, result.error.code]);
      else rows[index] = result.embedding as string;
    }
    return { rows, errors };
  }

  /** Embeds texts. @returns their vectors, and the tokens of all of them */
  async embed(
    model: string,
    input: readonly string[],
    options: object = {},
  ): Promise<{ vectors: Float32Array[]; tokens: number }> {
    const body = { model, input, encoding_format: 'base64', ...options };
    const answer: EmbeddingsResponse = embeddingsResponseSchema.parse(await this.json('/v1/embeddings', body));
    return {
      vectors: answer.data.map(({ embedding }) => floatsOf(embedding as string)),
      tokens: answer.usage.prompt_tokens,
    };
  }

  async snapshot(): Promise<Snapshot> {
    return snapshotSchema.parse(await this.json('/admin/v1/snapshot'));
  }

  /** What a model did in the whole of a range. */
  async history(range: HistoryRange, model: string): Promise<HistoryTotals> {
    const {
      models,
      step_seconds: step,
      times,
    } = historySchema.parse(await this.json(`/admin/v1/history?range=${range}`));
    const series = models[model]!;
    const lengths = times.map((time, n) => (n === 0 ? step : time - times[n - 1]!));
    return {
      texts: Math.round(series.texts_per_second.reduce<number>((sum, rate, n) => sum + (rate ?? 0) * lengths[n]!, 0)),
      errors: series.errors.reduce<number>((sum, errors) => sum + (errors ?? 0), 0),
    };
  }

  async act(action: 'pause' | 'resume', model: string): Promise<void> {
    await this.expect('/admin/v1/queues/actions', { model, lane: 'bulk', action });
  }
}

/** @param base64 of little-endian float32 */
export function floatsOf(base64: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64');
  return Float32Array.from({ length: bytes.length / 4 }, (_, n) => bytes.readFloatLE(4 * n));
}
