import { Agent, request, type IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';

/** A client of jobs that streams both ways: it holds a chunk of its upload and a chunk of its download, whatever their size. */
const CHUNK_CHARS = 64 * 1024;
const agent = new Agent({ keepAlive: true });

export interface JobState {
  readonly id: string;
  readonly state: string;
  readonly finished_at: number | null;
  readonly tokens: number;
  readonly counts: {
    readonly texts: number;
    readonly done: number;
    readonly cached: number;
    readonly failed: number;
  };
}

/** The texts as NDJSON, in chunks. */
export function* ndjson(texts: Iterable<string>): Generator<Buffer> {
  let chunk = '';
  for (const text of texts) {
    chunk += `${JSON.stringify(text)}\n`;
    if (chunk.length < CHUNK_CHARS) continue;
    yield Buffer.from(chunk);
    chunk = '';
  }
  if (chunk !== '') yield Buffer.from(chunk);
}

/** Uploads a job. @returns its state when all of it was accepted */
export async function upload(url: string, model: string, body: Iterable<Buffer>): Promise<JobState> {
  const response = await send(`${url}/v1/jobs?model=${encodeURIComponent(model)}`, body);
  return JSON.parse(await textOf(response, 202)) as JobState;
}

async function jobState(url: string, id: string, waitSeconds = 0): Promise<JobState> {
  const response = await send(`${url}/v1/jobs/${id}?wait=${waitSeconds}`);
  return JSON.parse(await textOf(response, 200)) as JobState;
}

/** Resolves when every text of the job has its vector. @throws when one has not */
export async function finish(url: string, accepted: JobState): Promise<JobState> {
  let job = accepted;
  while (job.finished_at === null) job = await jobState(url, job.id, 60);
  if (job.state !== 'completed' || job.counts.done !== job.counts.texts) {
    throw new Error(`the job did not embed every text: ${JSON.stringify(job)}`);
  }
  return job;
}

/** Reads all vectors of a finished job as float32 and throws them away. @throws when there are not `bytes` of them */
export async function readVectors(url: string, id: string, bytes: number): Promise<void> {
  const response = await send(`${url}/v1/jobs/${id}/results?format=f32`);
  if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${await textOf(response, 200)}`);
  let read = 0;
  for await (const chunk of response) read += (chunk as Buffer).length;
  if (read !== bytes) throw new Error(`the job gave ${read} bytes of vectors, not ${bytes}`);
}

/** @param body of a POST; absent: a GET. */
async function send(url: string, body?: Iterable<Buffer>): Promise<IncomingMessage> {
  const headers = body === undefined ? {} : { 'content-type': 'application/x-ndjson' };
  const outgoing = request(url, { agent, headers, method: body === undefined ? 'GET' : 'POST' });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
  });
  if (body === undefined) outgoing.end();
  else await pipeline(Readable.from(body, { objectMode: false, highWaterMark: CHUNK_CHARS }), outgoing);
  return answered;
}

async function textOf(response: IncomingMessage, status: number): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  if (response.statusCode !== status) throw new Error(`${response.statusCode} instead of ${status}: ${text}`);
  return text;
}
