import {
  encodeRow,
  type JobRecord,
  jobResultsPageSchema,
  Keys,
  npyHeader,
  type ResultsQuery,
  resultsQuerySchema,
  rowsOfFloats,
  SLICE_ROWS,
} from '#contracts';
import { connectRedis, JobIndex, JobLedger, RedisResults } from '#store';
import { startRedis } from '../../../../../test/support/redis.js';
import { OUTPUT_SHAPES } from '../../output/shapes.js';
import { newJobId } from '../job-id.js';
import { ResultsAnswer, resultsFormat } from './answer.js';
import { FORMATS } from './formats/formats.js';
import { JobRows } from './job-rows.js';

const DIMENSIONS = 6;
const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
const keys = new Keys('test');
const results = new RedisResults(redis, keys);
const jobs = new JobLedger(redis, keys, new JobIndex(redis, keys), results, { ttlSeconds: 60 });
const answers = new ResultsAnswer(new JobRows(results, jobs), OUTPUT_SHAPES);
const rowBytes = rowsOfFloats(DIMENSIONS);
const fingerprint = 'f'.repeat(16);
const OPEN = new AbortController().signal;

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** Another vector for each position, of a length that is not 1. */
function vectorAt(position: number): Float32Array {
  return Float32Array.from({ length: DIMENSIONS }, (_, i) => Math.sin(position * 7 + i) * 3);
}

async function newJob(normalize = false): Promise<string> {
  const id = newJobId();
  await jobs.create({
    id,
    model: 'm',
    spec: { operation: 'embed', fingerprint, prompt: '', truncate: 'end' },
    rowBytes,
    output: { dimensions: null, normalize },
    lane: 'bulk',
    tenant: '',
    keyId: null,
  });
  return id;
}

let unit = 0;
async function settle(jobId: string, positions: readonly number[], failed: readonly number[] = []): Promise<void> {
  await jobs.acknowledge({
    jobId,
    unit: unit++,
    cached: false,
    fingerprint,
    rowBytes,
    rows: positions.map((position) => ({
      position,
      row: encodeRow(vectorAt(position), position + 1, position % 5 === 0),
    })),
    errors: failed.map((position) => ({ position, error: { code: 'inference_failed', message: `no ${position}` } })),
  });
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);

/** A completed job over several slices; the texts in `failed` have errors. */
async function completedJob(texts: number, failed: readonly number[] = [], normalize = false): Promise<JobRecord> {
  const id = await newJob(normalize);
  await jobs.accept(id, texts);
  await settle(
    id,
    range(0, texts).filter((position) => !failed.includes(position)),
    failed,
  );
  await jobs.seal(id);
  return recordOf(id);
}

async function recordOf(id: string): Promise<JobRecord> {
  const job = await jobs.get(id);
  if (job === null) throw new Error('no such job');
  return job;
}

async function answer(job: JobRecord, query: Record<string, string>, signal = OPEN) {
  const parsed: ResultsQuery = resultsQuerySchema.parse(query);
  return answers.of(job, resultsFormat(parsed, undefined), parsed, signal);
}

async function bytesOf(job: JobRecord, query: Record<string, string>): Promise<Buffer> {
  const file = await answer(job, query);
  const chunks: Buffer[] = [];
  for await (const chunk of file.getStream()) chunks.push(Buffer.from(chunk as Buffer));
  const bytes = Buffer.concat(chunks);
  const { length } = file.getHeaders();
  if (length !== undefined) expect(bytes.length).toBe(length);
  return bytes;
}

async function pageOf(job: JobRecord, query: Record<string, string> = {}) {
  return jobResultsPageSchema.parse(JSON.parse((await bytesOf(job, query)).toString()));
}

async function linesOf(job: JobRecord, query: Record<string, string> = {}) {
  const lines = (await bytesOf(job, { ...query, format: 'ndjson' })).toString().split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => JSON.parse(line) as { index: number; embedding: number[] | string | null });
}

function floatsOf(bytes: Buffer): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer);
}

describe('results of a completed job', () => {
  const TEXTS = 5 * SLICE_ROWS + 7;
  const FAILED = [3, SLICE_ROWS, TEXTS - 1];

  it('are the same in every format', async () => {
    const job = await completedJob(TEXTS, FAILED);
    const flat = floatsOf(await bytesOf(job, { format: 'f32' }));
    expect(flat).toHaveLength(TEXTS * DIMENSIONS);
    for (const position of range(0, TEXTS)) {
      const row = flat.subarray(position * DIMENSIONS, (position + 1) * DIMENSIONS);
      expect(row).toEqual(
        FAILED.includes(position) ? new Float32Array(DIMENSIONS).fill(Number.NaN) : vectorAt(position),
      );
    }

    const header = npyHeader(TEXTS, DIMENSIONS);
    const npy = await bytesOf(job, { format: 'npy' });
    expect(npy.subarray(0, header.length)).toEqual(header);
    expect(floatsOf(npy.subarray(header.length))).toEqual(flat);

    const lines = await linesOf(job);
    expect(lines.map(({ index }) => index)).toEqual(range(0, TEXTS));
    for (const { index, embedding } of lines) {
      if (FAILED.includes(index)) expect(embedding).toBeNull();
      else expect(Float32Array.from(embedding as number[])).toEqual(vectorAt(index));
    }
    const encoded = await linesOf(job, { encoding_format: 'base64' });
    for (const { index, embedding } of encoded) {
      if (!FAILED.includes(index))
        expect(floatsOf(Buffer.from(embedding as string, 'base64'))).toEqual(vectorAt(index));
    }

    const paged = [];
    for (let cursor: string | null = '0'; cursor !== null;) {
      const page = await pageOf(job, { cursor, limit: '150' });
      expect(page.has_more).toBe(page.next_cursor !== null);
      paged.push(...page.data);
      cursor = page.next_cursor;
    }
    expect(paged).toEqual(lines);
  });

  it('tell tokens, truncation and errors', async () => {
    const job = await completedJob(7, [6]);
    const { data, model, has_more, next_cursor } = await pageOf(job, { cursor: '4' });
    expect({ model, has_more, next_cursor }).toEqual({ model: 'm', has_more: false, next_cursor: null });
    expect(data).toEqual([
      { object: 'embedding', index: 4, embedding: [...vectorAt(4)], tokens: 5, truncated: false },
      { object: 'embedding', index: 5, embedding: [...vectorAt(5)], tokens: 6, truncated: true },
      { object: 'embedding', index: 6, embedding: null, error: { code: 'inference_failed', message: 'no 6' } },
    ]);
  });

  it('are cut to `dimensions`, then normalised, as the job or the reader says', async () => {
    const length = (vector: Float32Array) => Math.hypot(...vector);
    const job = await completedJob(3, [], true);
    const asMade = floatsOf(await bytesOf(job, { format: 'f32', cursor: '1', limit: '1' }));
    expect(length(asMade)).toBeCloseTo(1, 6);
    expect(asMade[0]! / asMade[1]!).toBeCloseTo(vectorAt(1)[0]! / vectorAt(1)[1]!, 4);

    const raw = floatsOf(await bytesOf(job, { format: 'f32', cursor: '1', limit: '1', normalize: 'false' }));
    expect(raw).toEqual(vectorAt(1));

    const cut = floatsOf(await bytesOf(job, { format: 'f32', cursor: '1', limit: '1', dimensions: '2' }));
    expect(cut).toHaveLength(2);
    expect(length(cut)).toBeCloseTo(1, 6);
    expect(cut[0]! / cut[1]!).toBeCloseTo(vectorAt(1)[0]! / vectorAt(1)[1]!, 4);
  });

  it('come from a cursor on and up to a limit in every format', async () => {
    const job = await completedJob(10);
    const part = { cursor: '4', limit: '3' };
    expect(floatsOf(await bytesOf(job, { ...part, format: 'f32' })).subarray(0, DIMENSIONS)).toEqual(vectorAt(4));
    expect(await bytesOf(job, { ...part, format: 'f32' })).toHaveLength(3 * DIMENSIONS * 4);
    expect((await bytesOf(job, { ...part, format: 'npy' })).toString('latin1')).toContain(`(3, ${DIMENSIONS})`);
    expect((await linesOf(job, part)).map(({ index }) => index)).toEqual([4, 5, 6]);
    expect(await pageOf(job, part)).toMatchObject({ has_more: true, next_cursor: '7' });
    expect(await pageOf(job, { cursor: '10' })).toMatchObject({ data: [], has_more: false, next_cursor: null });
  });

  it('are 410 when they have expired, in every format', async () => {
    const job = await completedJob(10);
    await redis.del(keys.jobSlice(job.id, 0));
    for (const format of Object.keys(FORMATS)) {
      await expect(answer(job, { format })).rejects.toMatchObject({ status: 410, code: 'results_expired' });
    }
  });

  it('refuse dimensions that the model has not and pages that are too long', async () => {
    const job = await completedJob(1);
    await expect(answer(job, { dimensions: '7' })).rejects.toMatchObject({
      status: 400,
      code: 'invalid_dimensions',
      param: 'dimensions',
    });
    await expect(answer(job, { limit: '1001' })).rejects.toMatchObject({
      status: 400,
      code: 'limit_too_large',
      param: 'limit',
    });
  });
});

describe('results of a running job', () => {
  it('come in pages up to the first that is missing', async () => {
    const id = await newJob();
    await jobs.accept(id, 20);
    expect(await pageOf(await recordOf(id))).toMatchObject({ data: [], has_more: true, next_cursor: '0' });
    await settle(id, [0, 1, 2, 5, 6], [3]);
    const page = await pageOf(await recordOf(id));
    expect(page.data.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(page).toMatchObject({ has_more: true, next_cursor: '4' });
    await settle(id, [4]);
    expect((await pageOf(await recordOf(id), { cursor: '4' })).next_cursor).toBe('7');
  });

  it('are not to be had as f32 or npy', async () => {
    const id = await newJob();
    await jobs.accept(id, 1);
    for (const format of ['f32', 'npy']) {
      await expect(answer(await recordOf(id), { format })).rejects.toMatchObject({
        status: 409,
        code: 'job_not_finished',
        retryAfter: 2,
      });
    }
  });

  it('are followed as lines in input order until the job ends', async () => {
    const id = await newJob();
    await jobs.accept(id, 3);
    const lines = linesOf(await recordOf(id));
    await settle(id, [2]);
    await settle(id, [0]);
    await jobs.accept(id, 2);
    await settle(id, [1, 4]);
    await jobs.seal(id);
    await settle(id, [3]);
    expect((await lines).map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
  });

  it('stop being followed at a shutdown, as a broken stream and not as an end', async () => {
    const closing = new AbortController();
    const id = await newJob();
    await jobs.accept(id, 3);
    const file = await answer(await recordOf(id), { format: 'ndjson' }, closing.signal);
    const read = (async () => {
      for await (const piece of file.getStream()) expect(piece).toBe('');
    })();
    closing.abort(new Error('shut down'));
    await expect(read).rejects.toThrow('shut down');
  });
});

describe('results of a job that was cancelled', () => {
  it('are those that were there, and errors for the rest', async () => {
    const id = await newJob();
    await jobs.accept(id, 3);
    await settle(id, [0, 2]);
    await jobs.cancel(id);
    const { data, has_more } = await pageOf(await recordOf(id));
    expect(has_more).toBe(false);
    expect(data).toMatchObject([
      { embedding: [...vectorAt(0)] },
      { embedding: null, error: { code: 'cancelled' } },
      { embedding: [...vectorAt(2)] },
    ]);
    expect(floatsOf(await bytesOf(await recordOf(id), { format: 'f32' }))[DIMENSIONS]).toBeNaN();
  });
});

it('the format is `format`, else what `Accept` asks for, else JSON', () => {
  const query = resultsQuerySchema.parse({});
  expect(resultsFormat(query, undefined)).toBe('json');
  expect(resultsFormat(query, '*/*')).toBe('json');
  expect(resultsFormat(query, 'application/x-ndjson, */*;q=0.1')).toBe('ndjson');
  expect(resultsFormat(resultsQuerySchema.parse({ format: 'npy' }), 'application/x-ndjson')).toBe('npy');
});
