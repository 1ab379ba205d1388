import { EmbedmillClient, requireEveryVector } from '#client';
import { nodeFetch } from '#client/node';
import type { JobObject } from '#contracts';

/** Maximum time that the service holds a status request, s; it answers at once when the job ends. */
const LOOK_SECONDS = 60;

/** A client without retries: their pauses would distort the measurement. */
export function clientOf(url: string): EmbedmillClient {
  return new EmbedmillClient({ baseUrl: url, fetch: nodeFetch, retry: { patienceMs: 0 } });
}

/** A job, from the first byte uploaded to the last byte downloaded. */
export interface JobRun {
  readonly seconds: number;
  readonly cached: number;
}

/** Uploads texts, waits, and reads every vector back. @throws when a vector is missing */
export async function embedAsJob(
  client: EmbedmillClient,
  model: string,
  texts: readonly string[],
  dimensions: number,
): Promise<JobRun> {
  const began = performance.now();
  const job = await finish(client, await client.jobs.create({ model, input: texts }));
  await readVectors(client, job, dimensions);
  return { seconds: (performance.now() - began) / 1000, cached: job.counts.cached };
}

/** Waits until every text of an accepted job has its vector. @throws when a text has failed */
export async function finish(client: EmbedmillClient, accepted: JobObject): Promise<JobObject> {
  return requireEveryVector(await client.jobs.wait(accepted, { lookSeconds: LOOK_SECONDS }));
}

/** Reads all vectors of a finished job as float32, and discards each chunk. @throws when a vector is missing */
export async function readVectors(
  client: EmbedmillClient,
  { counts, id }: JobObject,
  dimensions: number,
): Promise<void> {
  let bytes = 0;
  for await (const chunk of await client.jobs.results.stream(id, 'f32')) bytes += chunk.byteLength;
  const expected = counts.texts * dimensions * Float32Array.BYTES_PER_ELEMENT;
  if (bytes !== expected) throw new Error(`the job gave ${bytes} bytes of vectors, not ${expected}`);
}
