import type { EmbeddingsResponse, JobObject } from '#contracts';
import { MODEL } from './deployment.js';
import { until } from './until.js';

/** `POST /v1/embeddings`, whatever it answers. */
export function postEmbeddings(apiUrl: string, body: object, signal?: AbortSignal): Promise<Response> {
  return postJson(`${apiUrl}/v1/embeddings`, body, signal);
}

/** `POST /v1/jobs` with JSON, whatever it answers. */
export function postJob(apiUrl: string, body: object): Promise<Response> {
  return postJson(`${apiUrl}/v1/jobs`, body);
}

/** Embeds and expects success. */
export async function embed(apiUrl: string, input: string | readonly string[]): Promise<EmbeddingsResponse> {
  const response = await postEmbeddings(apiUrl, { model: MODEL, input });
  if (response.status !== 200) throw new Error(`embeddings: ${response.status} ${await response.text()}`);
  return (await response.json()) as EmbeddingsResponse;
}

/** Hands in a job and expects it to be accepted. */
export async function acceptJob(apiUrl: string, input: readonly string[], options: object = {}): Promise<JobObject> {
  const response = await postJob(apiUrl, { model: MODEL, input, ...options });
  if (response.status !== 202) throw new Error(`job: ${response.status} ${await response.text()}`);
  return (await response.json()) as JobObject;
}

export async function getJob(apiUrl: string, id: string): Promise<JobObject> {
  const response = await fetch(`${apiUrl}/v1/jobs/${id}`);
  if (response.status !== 200) throw new Error(`job ${id}: ${response.status} ${await response.text()}`);
  return (await response.json()) as JobObject;
}

export function completedJob(apiUrl: string, id: string, patienceMs = 60_000): Promise<JobObject> {
  return until(
    `job ${id} is completed`,
    async () => {
      const job = await getJob(apiUrl, id);
      return job.state === 'completed' && job;
    },
    { patienceMs, everyMs: 100 },
  );
}

/** All vectors of a completed job without failures, `[texts, dimensions]`. */
export async function jobVectors(apiUrl: string, job: JobObject): Promise<Float32Array[]> {
  const response = await fetch(`${apiUrl}/v1/jobs/${job.id}/results?format=f32`);
  if (response.status !== 200) throw new Error(`results: ${response.status} ${await response.text()}`);
  const { counts, dimensions } = job;
  if (dimensions === undefined) throw new Error(`job ${job.id} does not say how long its vectors are`);
  const floats = new Float32Array(await response.arrayBuffer());
  return Array.from({ length: counts.texts }, (_, row) => floats.subarray(row * dimensions, (row + 1) * dimensions));
}

/** 1 for vectors of one direction, whatever their lengths. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return dot / Math.sqrt(aa * bb);
}

function postJson(url: string, body: object, signal?: AbortSignal): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
}
