import { Deployment, MODEL } from '../support/deployment.js';
import { acceptJob, completedJob, embed, postEmbeddings } from '../support/front-door.js';
import { readMetric } from '../support/metrics.js';
import { BERT_VOCAB_SIZE, POISON_TEXT } from '../support/random-model.js';
import type { Service } from '../support/services.js';

let deployment: Deployment;
let api: Service;
let worker: Service;

beforeAll(async () => {
  // One token of the vocabulary has no row in the embedding table: ONNX Runtime fails every batch that holds it.
  deployment = await Deployment.start({ embeddingRows: BERT_VOCAB_SIZE - 1 });
  [worker, api] = await Promise.all([deployment.worker(), deployment.api()]);
}, 60_000);

afterAll(() => deployment.stop());

it('in a job it fails alone: its index has the error, every neighbour its vector', async () => {
  const texts = Array.from({ length: 150 }, (_, n) => `text number ${n}`);
  for (const at of [7, 70, 149]) texts[at] = POISON_TEXT;
  const job = await completedJob(api.url, (await acceptJob(api.url, texts)).id);
  expect(job.counts).toMatchObject({ texts: 150, done: 147, failed: 3, pending: 0 });

  const results = await fetch(`${api.url}/v1/jobs/${job.id}/results?format=ndjson`);
  const lines = (await results.text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ResultLine);
  expect(lines.map(({ index }) => index)).toEqual(texts.map((_, n) => n));
  for (const { index, embedding, error } of lines) {
    if ([7, 70, 149].includes(index)) {
      expect(embedding).toBeNull();
      expect(error).toMatchObject({ code: 'inference_failed' });
    } else {
      expect(error).toBeUndefined();
      expect(embedding).toHaveLength(32);
    }
  }
  expect(await readMetric(worker.url, 'embedmill_worker_failed_texts_total')).toBe(1);
}, 60_000);

it('in a request it is named, and the texts beside it are computed and kept', async () => {
  const response = await postEmbeddings(api.url, { model: MODEL, input: ['first', POISON_TEXT, 'third'] });
  expect(response.status).toBe(500);
  expect(await response.json()).toMatchObject({ error: { code: 'inference_failed', param: 'input[1]' } });

  const computed = await readMetric(worker.url, 'embedmill_worker_texts_total');
  expect((await embed(api.url, ['first', 'third'])).data).toHaveLength(2);
  expect(await readMetric(worker.url, 'embedmill_worker_texts_total')).toBe(computed);
}, 60_000);

it('a long text that cannot be cut is refused under a code of its own, with every side of truncation', async () => {
  const long = 'x'.repeat(300_000);
  for (const truncate of ['start', 'end', 'middle', 'error']) {
    const response = await postEmbeddings(api.url, { model: MODEL, input: ['first', long], truncate });
    expect([truncate, response.status]).toEqual([truncate, 400]);
    expect(await response.json()).toMatchObject({ error: { code: 'text_too_complex', param: 'input[1]' } });
  }
}, 60_000);

it('a long text is not counted to its end', async () => {
  const response = await postEmbeddings(api.url, { model: MODEL, input: 'fox '.repeat(50_000), truncate: 'error' });
  const message = expect.stringMatching(/^input has at least \d{3,4} tokens, more than the 64 /) as string;
  expect(await response.json()).toMatchObject({ error: { code: 'text_too_long', message } });
}, 60_000);

it('leaves other clients alone while it is tried', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      postEmbeddings(api.url, { model: MODEL, input: n === 10 ? POISON_TEXT : `client ${n}` }),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, (_, n) => (n === 10 ? 500 : 200)));
}, 60_000);

interface ResultLine {
  readonly index: number;
  readonly embedding: number[] | null;
  readonly error?: { readonly code: string };
}
