import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isFinal, type JobObject } from '#contracts';
import { simulatedValues } from '#inference/testing';
import { type RedisServer, startRedis } from '../support/redis.js';
import type { Pair } from '../support/score.js';
import type { ScoreReply, ScoreRequest } from '../support/score-deployment.js';
import { until } from '../support/until.js';

/**
 * Everything between the API and the device handles inputs and rows without looking into them: a kind of work that the
 * product does not have goes all the way with nothing but its operation, its head and its output shape.
 */
const MODEL = 'pairs';
const ENTRY = fileURLToPath(new URL('../support/score-deployment.js', import.meta.url));

let redis: RedisServer;
let deployment: ChildProcess;
let url: string;

beforeAll(async () => {
  redis = await startRedis();
  const env = { ...process.env, REDIS_URL: redis.url, EMBED_MODELS: MODEL };
  deployment = fork(ENTRY, { env, execArgv: [] });
  ({ url } = (await reply()) as { url: string });
}, 60_000);

afterAll(async () => {
  deployment.kill('SIGKILL');
  await redis.stop();
});

/** The next thing the deployment says, or a rejection when it ends. */
function reply(): Promise<ScoreReply> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`the deployment ended with ${code}`));
    deployment.once('exit', ended);
    deployment.once('message', (message: ScoreReply) => {
      deployment.off('exit', ended);
      resolve(message);
    });
  });
}

async function ask(kind: ScoreRequest['kind'], pairs: readonly Pair[], options: ScoreRequest['options'] = {}) {
  const answered = reply();
  deployment.send({ kind, options, pairs } satisfies ScoreRequest);
  return answered;
}

/** @returns its id */
async function submit(options: ScoreRequest['options'] = {}): Promise<string> {
  return ((await ask('job', pairs, options)) as { id: string }).id;
}

async function wait(asked: readonly Pair[], options: ScoreRequest['options'] = {}) {
  return (await ask('wait', asked, options)) as { scores: number[]; cached: boolean[]; computed: number };
}

/** Rows that the device computed so far. */
async function computed(): Promise<number> {
  return (await wait([pairs[0]!])).computed;
}

const pairs: Pair[] = Array.from({ length: 150 }, (_, n) => ({ query: `q${n % 10}`, document: `document ${n % 100}` }));

/** What the device makes of a pair: the second text is of segment 1. */
function scoreOf({ query, document }: Pair): number {
  const ids = Int32Array.from([...codes(query), 0, ...codes(document)]);
  const types = Int32Array.from(ids, (_, at) => Number(at > query.length));
  return simulatedValues(ids, 1, types)[0]!;
}

function codes(text: string): number[] {
  return Array.from({ length: text.length }, (_, at) => 1 + text.charCodeAt(at));
}

async function finished(id: string): Promise<JobObject> {
  return until('the job is final', async () => {
    const job = (await (await fetch(`${url}/v1/jobs/${id}`)).json()) as JobObject;
    return isFinal(job.state) && job;
  });
}

it('takes a job of pairs through queue, worker and results, computing equal pairs once', async () => {
  const before = await computed();
  const id = await submit();
  const job = await finished(id);
  expect(job).toMatchObject({ operation: 'score', state: 'completed', doubled: false });
  expect(job.counts).toMatchObject({ texts: 150, done: 150, failed: 0 });
  // One of the hundred different ones was asked for before.
  expect((await computed()) - before).toBe(99);

  const lines = (await (await fetch(`${url}/v1/jobs/${id}/results?format=ndjson`)).text()).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
    pairs.map((pair, index) => ({
      object: 'score',
      index,
      score: scoreOf(pair),
      tokens: pair.query.length + 1 + pair.document.length,
      truncated: false,
    })),
  );
  const f32 = await (await fetch(`${url}/v1/jobs/${id}/results?format=f32`)).arrayBuffer();
  expect([...new Float32Array(f32)]).toEqual(pairs.map(scoreOf));
});

it('answers those who wait, and finds in the cache what a job computed', async () => {
  const before = await computed();
  const known = pairs[7]!;
  const fresh: Pair = { query: 'new', document: 'never scored' };
  const answer = await wait([known, fresh, fresh], { priority: 'high' });
  expect(answer).toEqual({
    scores: [known, fresh, fresh].map(scoreOf),
    cached: [true, false, false],
    computed: before + 1,
  });
});

it('does on the way out what its shape does, from the cache alone', async () => {
  const before = await computed();
  const id = await submit({ doubled: true });
  const job = await finished(id);
  expect(job).toMatchObject({ doubled: true });
  expect(job.counts).toMatchObject({ cached: 150 });
  const page = (await (await fetch(`${url}/v1/jobs/${id}/results?limit=2`)).json()) as { data: { score: number }[] };
  expect(page.data.map((result) => result.score)).toEqual(pairs.slice(0, 2).map((pair) => 2 * scoreOf(pair)));
  expect(await computed()).toBe(before);
});

it('tells the order of a pair', async () => {
  const pair: Pair = { query: 'ab', document: 'cd' };
  const turned: Pair = { query: 'cd', document: 'ab' };
  const { scores } = await wait([pair, turned]);
  expect(scores).toEqual([scoreOf(pair), scoreOf(turned)]);
  expect(scores[0]).not.toBe(scores[1]);
});

it('refuses, in words, what a model cannot do', async () => {
  const answer = await fetch(`${url}/v1/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: MODEL, input: 'x' }),
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({
    error: { code: 'operation_not_supported', param: 'model', message: `Model "${MODEL}" cannot embed; it can score.` },
  });
});
