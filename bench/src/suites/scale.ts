import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuBetween, mapParts, ofService, PART_NAMES, readCpu, type CpuPart, type CpuSplit } from '../cpu-split.js';
import { numberedGlosses, readCorpus } from '../corpora.js';
import type { Deployment } from '../deployment.js';
import { machineSeconds } from '../proc.js';
import { startSimulated } from '../simulated-deployment.js';
import type { DeviceModel, SimulatedModelOptions } from '../simulated-models.js';
import { median, spread } from '../statistics.js';
import { SteadyLoad } from '../steady-load.js';
import type { BenchContext, Section, Suite, Table } from '../suite.js';

interface Series {
  readonly device: DeviceModel;
  readonly doublings: number;
  readonly batching?: NonNullable<SimulatedModelOptions['batching']>;
}
/**
 * The slow device takes about 750 short texts a second, the fast one about 2,500. The slow one has small batches: with
 * large ones, its texts would finish in waves longer than the measured window.
 */
const SERIES = {
  slow: {
    device: { batchMs: 2, tokenMs: 0.07, dimensions: 384 },
    doublings: 4,
    batching: { maxRows: 32, lookaheadTexts: 128 },
  },
  fast: { device: { batchMs: 2, tokenMs: 0.02, dimensions: 384 }, doublings: 6 },
} as const satisfies Record<string, Series>;
type SeriesName = keyof typeof SERIES;

const BASE_TEXTS = 50_000;
/** Time to reach a steady state after workers have joined, and the window measured then, ms. */
const SETTLE_MS = 1200;
const WINDOW_MS = 2000;
/** Texts in a job: so many for each worker, so that no worker waits for work, within bounds. */
const JOB_TEXTS = { perWorker: 150, least: 500, most: 2000 };
/** From this number of fast workers on, the devices could take more than this machine can supply. */
const SATURATING_WORKERS = 16;
const LEAST_SHARE = 0.9;
const LEAST_CEILING = 50_000;
const TEXTS_PER_DAY = 1e9;
const SECONDS_PER_DAY = 86_400;

interface Point {
  readonly workers: number;
  readonly textsPerSecond: number;
  readonly readBackPerSecond: number;
  /** CPU seconds per second of the window. */
  readonly cores: CpuSplit;
  /** The same for all other programs on the machine, which lower the ceiling. */
  readonly otherCores: number;
}

/** By series, the points of each run in the order of measurement. */
type Runs = Record<SeriesName, Point[][]>;

/** The product with more and more simulated devices, until this machine is saturated. */
export const scale: Suite = {
  name: 'scale',
  title: 'Scale: 1 to 64 simulated devices',
  async run(context) {
    const base = await readCorpus('short', BASE_TEXTS);
    const runs: Runs = { slow: [], fast: [] };
    for (let run = 1; run <= context.runs; run++) {
      for (const name of Object.keys(SERIES) as SeriesName[]) {
        context.say(`run ${run} of ${context.runs}, ${name} devices`);
        runs[name].push(await measureSeries(context, name, base));
      }
    }
    return section(runs);
  },
};

async function measureSeries(context: BenchContext, name: SeriesName, base: readonly string[]): Promise<Point[]> {
  const { doublings, ...simulated }: Series = SERIES[name];
  const { device } = simulated;
  // Results are not needed any more when they have been read back.
  const environment = { EMBED_JOB_TTL_SECONDS: '120' };
  const deployment = await startSimulated(context, { workers: 1, ...simulated, tokenizer: 'counting', environment });
  const texts = numberedGlosses(base);
  const options = { deployment, model: context.served.name, dimensions: device.dimensions, texts };
  const load = new SteadyLoad(options, jobTexts(1));
  const points: Point[] = [];
  for (let workers = 1; workers <= 2 ** doublings; workers *= 2) {
    load.jobTexts = jobTexts(workers);
    if (workers > 1) await deployment.double();
    await sleep(SETTLE_MS);
    const before = await read(deployment, load);
    await sleep(WINDOW_MS * Math.max(context.scale, 0.5));
    const after = await read(deployment, load);
    const seconds = (after.at - before.at) / 1000;
    const cpu = cpuBetween(before.cpu, after.cpu);
    points.push({
      workers,
      textsPerSecond: (after.stored - before.stored) / seconds,
      readBackPerSecond: (after.read - before.read) / seconds,
      cores: mapParts((part) => cpu[part] / seconds),
      otherCores: Math.max(0, (after.machine - before.machine - ofService(cpu) - cpu.client) / seconds),
    });
    context.say(`  ${workers} workers: ${Math.round(points.at(-1)!.textsPerSecond)} texts/s`);
  }
  await load.stop();
  return points;
}

async function read(deployment: Deployment, load: SteadyLoad) {
  return {
    at: performance.now(),
    cpu: readCpu(deployment),
    machine: machineSeconds(),
    stored: await load.stored(),
    read: load.readBack,
  };
}

function jobTexts(workers: number): number {
  return Math.min(Math.max(workers * JOB_TEXTS.perWorker, JOB_TEXTS.least), JOB_TEXTS.most);
}

/** Throughput of `point` / (throughput of one worker * its number of workers). */
function share(points: readonly Point[], point: Point): number {
  return point.textsPerSecond / (points[0]!.textsPerSecond * point.workers);
}

/** The median of the saturated points; the maximum would be the luckiest one. */
function ceiling(points: readonly Point[]): Point {
  const saturated = points
    .filter(({ workers }) => workers >= SATURATING_WORKERS)
    .sort((a, b) => a.textsPerSecond - b.textsPerSecond);
  return saturated[Math.floor(saturated.length / 2)]!;
}

function section({ slow, fast }: Runs): Section {
  const peaks = fast.map(ceiling);
  return {
    title: scale.title,
    about: [
      'Everything but the devices is the product: real Redis servers, one API process, and complete workers (queue',
      'consumers, task processor, batcher, store), shared by two processes. A simulated device sleeps 2 ms a batch and then 0.07 ms',
      '(slow) or 0.02 ms (fast) a padded token, which makes some 750 or 2,500 short texts a second; vectors have 384',
      'dimensions. Ids are made by counting characters, since real tokenising for so many devices wants more cores than',
      'this machine has. 16 clients upload jobs of dictionary glosses, wait, and read all vectors back without pause;',
      'throughput is that of vectors stored during a window in steady state, the ceiling the median of the points from',
      '16 fast workers on. Clients share the machine.',
    ].join('\n'),
    figures: [
      {
        name: 'Throughput of 16 workers / 16 x one, below saturation',
        unit: '',
        values: slow.map((points) => share(points, points.at(-1)!)),
        target: { least: LEAST_SHARE },
      },
      {
        name: 'Ceiling of this machine, clients included',
        unit: 'texts/s',
        decimals: 0,
        values: peaks.map(({ textsPerSecond }) => textsPerSecond),
        target: { least: LEAST_CEILING },
      },
    ],
    tables: [seriesTable('Slow devices', slow), seriesTable('Fast devices, to saturation', fast), cpuTable(peaks)],
    notes: [projection(peaks)],
  };
}

function seriesTable(title: string, runs: readonly (readonly Point[])[]): Table {
  const rows = runs[0]!.map(({ workers }, step) => {
    const points = runs.map((run) => run[step]!);
    return [
      String(workers),
      spread(points.map(({ textsPerSecond }) => textsPerSecond)),
      spread(
        runs.map((run) => share(run, run[step]!)),
        2,
      ),
      spread(points.map(({ readBackPerSecond }) => readBackPerSecond)),
      spread(
        points.map(({ cores }) => ofService(cores) + cores.client),
        2,
      ),
      spread(
        points.map(({ otherCores }) => otherCores),
        2,
      ),
    ];
  });
  return {
    title,
    columns: ['workers', 'texts/s', 'of ideal', 'read back/s', 'cores busy', 'cores busy with others'],
    rows,
  };
}

function cpuTable(peaks: readonly Point[]): Table {
  const parts = Object.keys(PART_NAMES) as CpuPart[];
  return {
    title: `CPU at the ceiling (${[...new Set(peaks.map(({ workers }) => workers))].join(', ')} workers)`,
    columns: ['part', 'cores', 'µs per text'],
    rows: parts.map((part) => [
      PART_NAMES[part],
      spread(
        peaks.map(({ cores }) => cores[part]),
        2,
      ),
      spread(
        peaks.map(({ cores, textsPerSecond }) => (cores[part] * 1e6) / textsPerSecond),
        1,
      ),
    ]),
  };
}

/** What the CPU times imply for larger machines; this is computed, not measured. */
function projection(peaks: readonly Point[]): string {
  const us = (part: CpuPart) => median(peaks.map(({ cores, textsPerSecond }) => (cores[part] * 1e6) / textsPerSecond));
  const perSecond = (micros: number) => Math.round(1e6 / micros / 1000) * 1000;
  const total = median(peaks.map(({ cores, textsPerSecond }) => (ofService(cores) * 1e6) / textsPerSecond));
  const singles = (['queueRedis', 'cacheRedis', 'api'] as const).map((part) => ({ part, limit: 1e6 / us(part) }));
  const first = singles.reduce((least, one) => (one.limit < least.limit ? one : least));
  const needed = TEXTS_PER_DAY / SECONDS_PER_DAY;
  const format = (value: number) => Math.round(value).toLocaleString('en-US');
  const busy = median(peaks.map(({ cores }) => ofService(cores) + cores.client));
  const others = median(peaks.map(({ otherCores }) => otherCores));
  // The workers are in two processes; in each of the other processes only one thread matters.
  const threads = { 'API': 'api', 'queue Redis': 'queueRedis', 'cache Redis': 'cacheRedis' } as const;
  const loads = Object.entries(threads).map(([name, part]) => ({
    name,
    load: median(peaks.map((p) => p.cores[part])),
  }));
  loads.push({ name: 'the main thread of a worker process', load: median(peaks.map((p) => p.cores.workerMain)) / 2 });
  const busiest = loads.reduce((most, one) => (one.load > most.load ? one : most));
  return [
    `At the ceiling ${busy.toFixed(1)} of ${availableParallelism()} cores are busy with it and ${others.toFixed(1)} with other`,
    `programs; the busiest thread (${busiest.name}) takes ${busiest.load.toFixed(2)} of one. On paper, by the`,
    `CPU times above a text takes ${total.toFixed(0)} µs of all processes together: 16 cores would carry`,
    `${format(perSecond(total / 16))} texts/s, were it not that one thread each bounds the queue Redis`,
    `(${format(perSecond(us('queueRedis')))} texts/s), the cache Redis (${format(perSecond(us('cacheRedis')))}) and one`,
    `API process (${format(perSecond(us('api')))}; there may be several). Of these the ${PART_NAMES[first.part]} comes`,
    `first. 10^9 texts a day are ${format(needed)} a second, evenly spread: ${((needed * total) / 1e6).toFixed(1)} cores`,
    'beside the devices and tokenising, and one Redis of each kind.',
  ].join('\n');
}
