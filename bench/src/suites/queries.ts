import { setTimeout as sleep } from 'node:timers/promises';
import { QueryClient } from '../../../apps/cli/src/bench/query-client.js';
import { readCorpus } from '../corpora.js';
import { startDeployment, type Deployment } from '../deployment.js';
import { clientOf, finish } from '../jobs.js';
import { percentile, spread } from '../statistics.js';
import type { BenchContext, Figure, Section, Suite, Table } from '../suite.js';
import { readBatches, untilComputing } from '../worker-metrics.js';
import { startEngine } from './throughput.js';

const QUERIES = 200;
const WARM_UP_QUERIES = 200;
const CLIENTS = [1, 8, 32];
/** Queries to the one side before the other side's turn. */
const BLOCK = 20;
const GLOSSES = 20_000;
const PARAGRAPHS = 15_000;
/** Enough to last longer than the queries beside it. */
const BACKLOG_TEXTS = 30_000;
/** Time during which the device is measured with bulk work only, ms. */
const BULK_ONLY_MS = 3000;
const BULK_TEXTS = 1500;
const QUERIES_PER_SECOND = 10;

interface Run {
  /** Latencies of such queries with the engine in process, ms. */
  readonly engine: readonly number[];
  /** Latencies for each of `CLIENTS`, ms. */
  readonly idle: readonly (readonly number[])[];
  readonly busy: readonly (readonly number[])[];
  /** Mean of a bulk micro-batch on the device, ms. */
  readonly batchMs: number;
  /** Time of the same amount of bulk work, alone and beside queries, s. */
  readonly bulkAlone: number;
  readonly bulkBeside: number;
}

/** Queries that wait for their vectors: one at a time, many at once, and beside a bulk job that fills the worker. */
export const queries: Suite = {
  name: 'queries',
  title: 'Waiting queries',
  async run(context) {
    const count = Math.round(QUERIES * context.scale);
    const texts = new Texts(await readCorpus('short', GLOSSES), await readCorpus('mixed', PARAGRAPHS));
    const runs: Run[] = [];
    for (let n = 1; n <= context.runs; n++) {
      context.say(`run ${n} of ${context.runs}`);
      const deployment = await startDeployment(context);
      const client = queryClient(deployment.url, context.served.name);
      const ask = (clients: number) => client.askAll(texts.queries(count), clients);
      const idle = await measureIdle(context, deployment, texts, count);
      for (const clients of CLIENTS.slice(1)) idle.through.push(await ask(clients));
      const busy = await measureBusy(deployment, context.served.name, texts, ask);
      const bulk = await measureBulk(context, deployment, texts);
      client.close();
      await deployment.stop();
      runs.push({ engine: idle.engine, idle: idle.through, ...busy, ...bulk });
    }
    return section(count, runs);
  },
};

/** Returns each text only once, so that none comes from the cache. */
class Texts {
  readonly #glosses: readonly string[];
  readonly #paragraphs: readonly string[];
  #given = 0;

  constructor(glosses: readonly string[], paragraphs: readonly string[]) {
    this.#glosses = glosses;
    this.#paragraphs = paragraphs;
  }

  queries(count: number): string[] {
    return this.#take(this.#glosses, count);
  }

  bulk(count: number): string[] {
    return this.#take(this.#paragraphs, count);
  }

  #take(from: readonly string[], count: number): string[] {
    return Array.from({ length: count }, () => `${from[this.#given % from.length]} ${this.#given++}`);
  }
}

/** Latencies with one client, in turns with the engine in process. */
async function measureIdle(context: BenchContext, deployment: Deployment, texts: Texts, count: number) {
  const engine = await startEngine(context, await context.model('fp32'));
  const alone = async (query: string) => {
    const began = performance.now();
    await engine.run([[query]], { prompt: '', truncate: 'end', lane: 'interactive' });
    return performance.now() - began;
  };
  const client = queryClient(deployment.url, context.served.name);
  const throughService = async (query: string) => (await client.ask(query)).ms;
  // Warm up both sides, as in production: compiled code, open connections.
  for (const query of texts.queries(WARM_UP_QUERIES)) await alone(query);
  for (const query of texts.queries(WARM_UP_QUERIES)) await throughService(query);
  const [own, service]: [number[], number[]] = [[], []];
  for (let done = 0; done < count; done += BLOCK) {
    const block = Math.min(BLOCK, count - done);
    for (const query of texts.queries(block)) own.push(await alone(query));
    for (const query of texts.queries(block)) service.push(await throughService(query));
  }
  await engine.close();
  return { engine: own, through: [service] };
}

async function measureBusy(
  { url, workers }: Deployment,
  model: string,
  texts: Texts,
  ask: (clients: number) => Promise<number[]>,
) {
  const { jobs } = clientOf(url);
  const { id } = await jobs.create({ model, input: texts.bulk(BACKLOG_TEXTS) });
  await untilComputing(workers[0]!.url);
  const before = await readBatches(workers[0]!.url);
  await sleep(BULK_ONLY_MS);
  const batches = await readBatches(workers[0]!.url);
  const busy: number[][] = [];
  for (const clients of CLIENTS) busy.push(await ask(clients));
  const { state } = await jobs.get(id);
  if (state !== 'running') throw new Error(`the bulk job was ${state} before the queries beside it had ended`);
  await jobs.cancel(id);
  return { busy, batchMs: (1000 * (batches.seconds - before.seconds)) / (batches.count - before.count) };
}

/** Times the same amount of bulk work alone, and beside queries at a steady rate. */
async function measureBulk(context: BenchContext, { url }: Deployment, texts: Texts) {
  const model = context.served.name;
  const count = Math.round(BULK_TEXTS * context.scale);
  const service = clientOf(url);
  const bulk = async () => {
    const began = performance.now();
    await finish(service, await service.jobs.create({ model, input: texts.bulk(count) }));
    return (performance.now() - began) / 1000;
  };
  const bulkAlone = await bulk();
  const client = queryClient(url, model);
  const asked: Promise<unknown>[] = [];
  const timer = setInterval(() => asked.push(client.ask(texts.queries(1)[0]!)), 1000 / QUERIES_PER_SECOND);
  const bulkBeside = await bulk();
  clearInterval(timer);
  await Promise.all(asked);
  return { bulkAlone, bulkBeside };
}

function queryClient(url: string, model: string): QueryClient {
  return new QueryClient({ url, key: undefined, model: { id: model } }, new AbortController().signal);
}

function section(count: number, runs: readonly Run[]): Section {
  const of = (read: (run: Run) => number) => runs.map(read);
  const p = (share: number, ms: readonly number[]) => percentile(ms, share);
  const figures: Figure[] = [
    {
      name: "waiting query, idle: p50 above the engine's own",
      unit: 'ms',
      values: of(({ idle, engine }) => p(0.5, idle[0]!) - p(0.5, engine)),
      target: { most: 2.5 },
    },
    {
      name: 'waiting query beside bulk: p95 / (1.5 micro-batches + its own inference)',
      unit: '',
      values: of(({ busy, batchMs, engine }) => p(0.95, busy[0]!) / (1.5 * batchMs + p(0.5, engine))),
      target: { most: 1 },
    },
    {
      name: `bulk throughput lost to ${QUERIES_PER_SECOND} queries/s beside it`,
      unit: '%',
      decimals: 1,
      values: of(({ bulkAlone, bulkBeside }) => 100 * (1 - bulkAlone / bulkBeside)),
      target: { most: 10 },
    },
    { name: 'bulk micro-batch on the device', unit: 'ms', decimals: 0, values: of(({ batchMs }) => batchMs) },
  ];
  return {
    title: queries.title,
    about: [
      `${count} dictionary glosses in each row and run, none seen before, over HTTP connections kept open; fp32,`,
      `one worker. The engine's own time is taken in turns of ${BLOCK} with the first row. Bulk beside it is a job of`,
      'paragraphs (mixed corpus) with many more texts than are computed meanwhile.',
    ].join('\n'),
    figures,
    tables: [latencies(runs)],
  };
}

function latencies(runs: readonly Run[]): Table {
  const row = (name: string, ms: readonly (readonly number[])[]) => [
    name,
    ...[0.5, 0.95, 0.99].map((share) =>
      spread(
        ms.map((one) => percentile(one, share)),
        1,
      ),
    ),
  ];
  const clients = (n: number) => `${CLIENTS[n]} client${CLIENTS[n] === 1 ? '' : 's'}`;
  const all = CLIENTS.map((_, n) => n);
  return {
    title: 'Latency, ms',
    columns: ['row', 'p50', 'p95', 'p99'],
    rows: [
      row(
        'Engine in process',
        runs.map(({ engine }) => engine),
      ),
      ...all.map((n) =>
        row(
          `idle, ${clients(n)}`,
          runs.map(({ idle }) => idle[n]!),
        ),
      ),
      ...all.map((n) =>
        row(
          `beside bulk, ${clients(n)}`,
          runs.map(({ busy }) => busy[n]!),
        ),
      ),
    ],
  };
}
