import { embeddingsResponseSchema, isFinal, type JobObject, jobObjectSchema } from '#contracts';
import { authorization } from './connection.js';

/** Longest an answer about a job is held, s; one that has ended is answered at once. */
const LOOK_SECONDS = 0.2;

export interface ClientOptions {
  /** Sent as a bearer token. */
  readonly key?: string | undefined;
  /** Ends every request. */
  readonly signal?: AbortSignal | undefined;
}

/** Demo and bench are clients like any other: all they do goes through the REST interface. */
export class Client {
  readonly #url: string;
  readonly #model: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #signal: AbortSignal | null;

  /** @param url of the API, without a slash at its end */
  constructor(url: string, model: string, { key, signal }: ClientOptions = {}) {
    this.#url = url;
    this.#model = model;
    this.#headers = authorization(key);
    this.#signal = signal ?? null;
  }

  /**
   * Uploads texts as NDJSON and waits for their job.
   * @param onStatus called with every look at the job
   * @throws when the job does not complete, or a text failed
   */
  async embed(texts: readonly string[], onStatus: (job: JobObject) => void): Promise<JobObject> {
    const accepted = await this.#ask(`/v1/jobs?model=${encodeURIComponent(this.#model)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: texts.map((text) => `${JSON.stringify(text)}\n`).join(''),
    });
    let job = jobObjectSchema.parse(await accepted.json());
    for (;;) {
      onStatus(job);
      if (isFinal(job.state)) break;
      job = jobObjectSchema.parse(await (await this.#ask(`/v1/jobs/${job.id}?wait=${LOOK_SECONDS}`)).json());
    }
    if (job.state !== 'completed') throw new Error(`the job is ${job.state}: ${job.error?.message ?? ''}`);
    if (job.counts.failed > 0) throw new Error(`${job.counts.failed} of ${job.counts.texts} texts failed`);
    return job;
  }

  /** A completed job's vectors: `[texts, dimensions]`, in the order of the upload. */
  async vectors(job: JobObject): Promise<Float32Array> {
    const response = await this.#ask(`/v1/jobs/${job.id}/results?format=f32`);
    return new Float32Array(await response.arrayBuffer());
  }

  /** Vectors of a few texts, waited for. */
  async queries(texts: readonly string[]): Promise<Float32Array[]> {
    const response = await this.#ask('/v1/embeddings', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: this.#model, input: texts, input_type: 'query' }),
    });
    const { data } = embeddingsResponseSchema.parse(await response.json());
    return data.map(({ embedding }) => Float32Array.from(embedding as number[]));
  }

  /** Ends a job that nobody waits for any more; also when this client's requests have been ended. */
  async cancel(jobId: string): Promise<void> {
    await fetch(`${this.#url}/v1/jobs/${jobId}`, { method: 'DELETE', headers: this.#headers });
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { ...this.#headers, ...(init.headers as Record<string, string> | undefined) };
    const response = await fetch(`${this.#url}${path}`, { ...init, headers, signal: this.#signal });
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }
}
