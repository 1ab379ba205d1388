import { embed, rowsOfFloats } from '#contracts';
import { QueryClient } from '../../../apps/cli/src/bench/query-client.js';
import { numberedGlosses, readCorpus } from '../corpora.js';
import { clientOf, finish, readVectors } from '../jobs.js';
import { cacheKeys, readRaw } from '../raw-mget.js';
import { startSimulated } from '../simulated-deployment.js';
import type { DeviceModel } from '../simulated-models.js';
import { spread } from '../statistics.js';
import type { BenchContext, Figure, Section, Suite } from '../suite.js';

const TEXTS = 100_000;
const BASE_TEXTS = 50_000;
const DEVICE: DeviceModel = { batchMs: 2, tokenMs: 0.002, dimensions: 384 };
/** Texts in one request to `POST /v1/embeddings`, and number of such requests at a time. */
const REQUEST_TEXTS = 64;
const REQUESTS_AHEAD = 8;
const LEAST_SHARE = 0.5;

/** Texts per second, one value for each run. */
interface Rates {
  readonly raw: number[];
  readonly job: number[];
  readonly jobAccepted: number[];
  readonly requests: number[];
}

/** Jobs and requests whose vectors are all in the shared cache, compared with only reading the same values. */
export const cache: Suite = {
  name: 'cache',
  title: 'Cache: jobs and requests that are wholly cached',
  async run(context) {
    const count = Math.round(TEXTS * context.scale);
    const texts = take(numberedGlosses(await readCorpus('short', BASE_TEXTS)), count);
    const rates: Rates = { raw: [], job: [], jobAccepted: [], requests: [] };
    for (let run = 1; run <= context.runs; run++) {
      context.say(`run ${run} of ${context.runs}`);
      await measure(context, texts, rates);
    }
    return section(count, rates);
  },
};

async function measure(context: BenchContext, texts: readonly string[], into: Rates): Promise<void> {
  const deployment = await startSimulated(context, { workers: 1, device: DEVICE, tokenizer: 'counting' });
  const { url } = deployment;
  const model = context.served.name;
  const client = clientOf(url);
  const first = await finish(client, await client.jobs.create({ model, input: texts }));
  // Reading the vectors back warms up that path, too.
  await readVectors(client, first, DEVICE.dimensions);

  const fingerprint = `simulated-${DEVICE.dimensions}`;
  const keys = cacheKeys({ operation: embed.name, fingerprint, prompt: '', truncate: 'end' }, texts);
  const valueBytes = rowsOfFloats(DEVICE.dimensions).most;
  const raw = () => readRaw(deployment.cache.url, keys, valueBytes);
  await raw();

  const jobBegan = performance.now();
  const accepted = await client.jobs.create({ model, input: texts });
  const job = await finish(client, accepted);
  const acceptedSeconds = (performance.now() - jobBegan) / 1000;
  await readVectors(client, job, DEVICE.dimensions);
  const jobSeconds = (performance.now() - jobBegan) / 1000;
  if (job.counts.cached !== texts.length) throw new Error(`only ${job.counts.cached} texts came from the cache`);

  const requestSeconds = await embedInRequests(url, model, texts);
  into.raw.push(texts.length / (await raw()));
  into.job.push(texts.length / jobSeconds);
  into.jobAccepted.push(texts.length / acceptedSeconds);
  into.requests.push(texts.length / requestSeconds);
  await deployment.stop();
}

/** Embeds all texts in small requests, several at a time. @returns seconds */
async function embedInRequests(url: string, model: string, texts: readonly string[]): Promise<number> {
  const target = { url, key: undefined, model: { id: model } };
  const queries = new QueryClient(target, new AbortController().signal);
  let next = 0;
  const began = performance.now();
  const client = async () => {
    while (next < texts.length) {
      const part = texts.slice(next, (next += REQUEST_TEXTS));
      const { cached } = await queries.ask(part);
      if (cached !== part.length) throw new Error(`only ${cached} of ${part.length} texts came from the cache`);
    }
  };
  await Promise.all(Array.from({ length: REQUESTS_AHEAD }, client));
  const seconds = (performance.now() - began) / 1000;
  queries.close();
  return seconds;
}

function take(texts: Iterator<string>, count: number): string[] {
  return Array.from({ length: count }, () => texts.next().value as string);
}

function section(texts: number, { raw, job, jobAccepted, requests }: Rates): Section {
  const ofRaw = (rates: readonly number[]) => rates.map((rate, run) => rate / raw[run]!);
  const figure = (name: string, rates: readonly number[]): Figure => ({
    name: `${name} / raw MGET of the same values`,
    unit: '',
    values: ofRaw(rates),
    target: { least: LEAST_SHARE },
  });
  const row = (name: string, rates: readonly number[]) => [name, spread(ofRaw(rates), 2), spread(rates)];
  return {
    title: cache.title,
    about: [
      `${texts.toLocaleString('en-US')} texts whose vectors (${DEVICE.dimensions} dimensions) the cache Redis holds, far`,
      'more than the API keeps in its own memory. A job is uploaded as NDJSON and its vectors read back as float32;',
      `requests are POST /v1/embeddings of ${REQUEST_TEXTS} texts, base64, ${REQUESTS_AHEAD} at a time. Beside it, in the`,
      'same run, the same values read by pipelined MGETs of 512 keys with the same Redis client, and thrown away.',
    ].join('\n'),
    figures: [figure('all-hit pass, job', job), figure('all-hit pass, requests', requests)],
    tables: [
      {
        title: '',
        columns: ['row', 'of raw', 'texts/s'],
        rows: [
          row('Raw: pipelined MGET', raw),
          row('Job: uploaded, complete', jobAccepted),
          row('Job: uploaded, complete, read back', job),
          row(`Requests of ${REQUEST_TEXTS}`, requests),
        ],
      },
    ],
    notes: [
      'A job costs more than its lookups: its rows are written to the queue Redis, which keeps results until they expire, and read from there again when they are fetched. Each vector crosses a socket four times, against once for the raw read.',
    ],
  };
}
