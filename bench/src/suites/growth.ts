import { numberedGlosses, readCorpus } from '../corpora.js';
import { cpuBetween, ofService, readCpu } from '../cpu-split.js';
import type { Deployment } from '../deployment.js';
import { clientOf, finish, readVectors } from '../jobs.js';
import { forgetPeak, memoryOf, type Memory } from '../proc.js';
import { startSimulated } from '../simulated-deployment.js';
import type { DeviceModel } from '../simulated-models.js';
import { median, spread } from '../statistics.js';
import type { BenchContext, Section, Suite, Table } from '../suite.js';

const SIZES = [1_000, 10_000, 100_000, 1_000_000];
/** The largest size with `--scale` below 1. */
const LARGEST_SCALED_DOWN = 100_000;
const BASE_TEXTS = 50_000;
/** Few dimensions: Redis holds all results, and 10^6 rows of 384 would mainly measure this machine's memory. */
const DEVICE: DeviceModel = { batchMs: 2, tokenMs: 0.002, dimensions: 64 };
const WORKERS = 2;
/** Jobs of the smallest size before the first measured one: all processes have their basic memory by then. */
const WARM_UP_JOBS = 10;
const MOST_MIB = 100;

const PROCESSES = ['api', 'workers', 'queueRedis', 'cacheRedis'] as const;
type ProcessName = (typeof PROCESSES)[number];
const PROCESS_NAMES: Record<ProcessName, string> = {
  api: 'API',
  workers: `${WORKERS} workers, one process`,
  queueRedis: 'queue Redis',
  cacheRedis: 'cache Redis',
};

/** Measurements of one job. */
interface Grown {
  readonly texts: number;
  /** Wall-clock time and CPU time of the service per text, from the first byte uploaded to the last byte downloaded. */
  readonly wallUs: number;
  readonly cpuUs: number;
  /** Peak memory of the API until it had accepted the upload, MiB. */
  readonly uploadPeak: number;
  /** Memory at the end of the job, and its peak during the whole job. */
  readonly memory: Readonly<Record<ProcessName, Memory>>;
}

/** Time per text and memory of every process, for jobs of up to a thousand times the smallest size. */
export const growth: Suite = {
  name: 'growth',
  title: 'Growth: jobs of 1,000 to 1,000,000 texts',
  async run(context) {
    const base = await readCorpus('short', BASE_TEXTS);
    const sizes = SIZES.filter((size) => context.scale >= 1 || size <= LARGEST_SCALED_DOWN);
    const runs: Grown[][] = [];
    for (let run = 1; run <= context.runs; run++) {
      context.say(`run ${run} of ${context.runs}`);
      runs.push(await measure(context, sizes, base));
    }
    return section(runs);
  },
};

async function measure(context: BenchContext, sizes: readonly number[], base: readonly string[]): Promise<Grown[]> {
  const deployment = await startSimulated(context, { workers: WORKERS, device: DEVICE, tokenizer: 'counting' });
  const texts = numberedGlosses(base);
  for (let job = 0; job < WARM_UP_JOBS; job++) await grow(context, deployment, texts, sizes[0]!);
  const grown: Grown[] = [];
  for (const size of sizes) grown.push(await grow(context, deployment, texts, size));
  await deployment.stop();
  return grown;
}

async function grow(
  context: BenchContext,
  deployment: Deployment,
  texts: Iterator<string>,
  size: number,
): Promise<Grown> {
  const { url, api } = deployment;
  const client = clientOf(url);
  const pids = pidsOf(deployment);
  for (const name of PROCESSES) forgetPeak(pids[name]);
  const began = performance.now();
  const before = readCpu(deployment);
  const accepted = await client.jobs.create({ model: context.served.name, input: take(texts, size) });
  const uploadPeak = memoryOf(api.pid).peak;
  const job = await finish(client, accepted);
  await readVectors(client, job, DEVICE.dimensions);
  const seconds = (performance.now() - began) / 1000;
  if (job.counts.cached > 0) throw new Error('texts of an earlier job came again');
  return {
    texts: size,
    wallUs: (seconds * 1e6) / size,
    cpuUs: (ofService(cpuBetween(before, readCpu(deployment))) * 1e6) / size,
    uploadPeak,
    memory: {
      api: memoryOf(pids.api),
      workers: memoryOf(pids.workers),
      queueRedis: memoryOf(pids.queueRedis),
      cacheRedis: memoryOf(pids.cacheRedis),
    },
  };
}

function pidsOf({ api, workers, queue, cache }: Deployment): Record<ProcessName, number> {
  return { api: api.pid, workers: workers[0]!.pid, queueRedis: queue.pid, cacheRedis: cache.pid };
}

function* take(texts: Iterator<string>, count: number): Generator<string> {
  for (let taken = 0; taken < count; taken++) yield texts.next().value as string;
}

function section(runs: readonly (readonly Grown[])[]): Section {
  const largest = runs[0]!.at(-1)!.texts;
  const perText = (read: (grown: Grown) => number) => runs.map((run) => read(run.at(-1)!) / read(run[1]!));
  return {
    title: growth.title,
    about: [
      `One job of each size, one after the other on one deployment with ${WORKERS} simulated devices, after`,
      `${WARM_UP_JOBS} jobs of the smallest size. The client streams: it never holds more than a chunk of its upload or`,
      `download. Vectors have ${DEVICE.dimensions} dimensions, since Redis holds all results and grows by design. Peaks are`,
      "those of Linux (VmHWM), counted anew for each job; the cache's and the queue's Redis keep earlier jobs, too.",
    ].join('\n'),
    figures: [
      {
        name: `API memory during a ${format(largest)}-text upload, above the ${format(SIZES[0]!)}-text job`,
        unit: 'MiB',
        decimals: 1,
        values: runs.map((run) => run.at(-1)!.uploadPeak - run[0]!.uploadPeak),
        target: { most: MOST_MIB },
      },
      {
        name: `CPU per text, ${format(largest)} texts / ${format(SIZES[1]!)} texts`,
        unit: '',
        values: perText(({ cpuUs }) => cpuUs),
      },
    ],
    tables: [timeTable(runs), memoryTable(runs)],
  };
}

function timeTable(runs: readonly (readonly Grown[])[]): Table {
  return {
    title: 'Time for each text',
    columns: ['texts', 'wall clock, µs', 'CPU of the service, µs'],
    rows: bySize(runs).map(({ texts, grown }) => [
      format(texts),
      spread(grown.map(({ wallUs }) => wallUs)),
      spread(grown.map(({ cpuUs }) => cpuUs)),
    ]),
  };
}

function memoryTable(runs: readonly (readonly Grown[])[]): Table {
  const cell = (grown: readonly Grown[], name: ProcessName) => {
    const middle = (read: (memory: Memory) => number) => format(median(grown.map(({ memory }) => read(memory[name]))));
    return `${middle(({ now }) => now)} / ${middle(({ peak }) => peak)}`;
  };
  return {
    title: 'Resident memory, MiB: at the end of the job / its peak',
    columns: ['texts', ...PROCESSES.map((name) => PROCESS_NAMES[name])],
    rows: bySize(runs).map(({ texts, grown }) => [format(texts), ...PROCESSES.map((name) => cell(grown, name))]),
  };
}

function bySize(runs: readonly (readonly Grown[])[]): { texts: number; grown: Grown[] }[] {
  return runs[0]!.map(({ texts }, step) => ({ texts, grown: runs.map((run) => run[step]!) }));
}

function format(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
