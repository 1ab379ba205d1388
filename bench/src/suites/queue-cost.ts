import { cpuBetween, ofService, PART_NAMES, readCpu, type CpuPart, type CpuSplit } from '../cpu-split.js';
import { readCorpus } from '../corpora.js';
import { clientOf, finish, readVectors } from '../jobs.js';
import { RedisCommands, type CommandCount } from '../redis-commands.js';
import { startSimulated } from '../simulated-deployment.js';
import type { DeviceModel } from '../simulated-models.js';
import { median, spread } from '../statistics.js';
import type { BenchContext, Section, Suite, Table } from '../suite.js';

const TEXTS = 50_000;
const WARM_UP_TEXTS = 20_000;
/** So fast that nothing waits for it, with batches as large as on a GPU. */
const DEVICE: DeviceModel = { batchMs: 2, tokenMs: 0.002, dimensions: 384 };
const MOST_US = 60;
/** Number of commands shown for each server. */
const TOP = 8;

const TOKENIZERS = ['model', 'counting'] as const;
type TokenizerKind = (typeof TOKENIZERS)[number];
const TOKENIZER_NAMES: Record<TokenizerKind, string> = { model: 'with tokenising', counting: 'without tokenising' };

interface Cost {
  /** CPU seconds from the upload's first byte until every vector is stored. */
  readonly computed: CpuSplit;
  /** CPU seconds of reading all vectors back. */
  readonly readBack: CpuSplit;
  readonly commands: Readonly<Record<string, readonly CommandCount[]>>;
  readonly seconds: number;
}

/** CPU time and Redis commands per text, without inference. */
export const queueCost: Suite = {
  name: 'queue-cost',
  title: 'What the queue costs: CPU and Redis commands per text',
  async run(context) {
    const count = Math.round(TEXTS * context.scale);
    const texts = await readCorpus('short', count + WARM_UP_TEXTS);
    const costs: Record<TokenizerKind, Cost[]> = { model: [], counting: [] };
    for (let run = 1; run <= context.runs; run++) {
      for (const tokenizer of TOKENIZERS) {
        context.say(`run ${run} of ${context.runs}, ${TOKENIZER_NAMES[tokenizer]}`);
        costs[tokenizer].push(await measure(context, tokenizer, texts.slice(WARM_UP_TEXTS), texts));
      }
    }
    return section(count, costs);
  },
};

async function measure(
  context: BenchContext,
  tokenizer: TokenizerKind,
  texts: readonly string[],
  all: readonly string[],
): Promise<Cost> {
  const deployment = await startSimulated(context, { workers: 1, device: DEVICE, tokenizer });
  const { url, queue, cache } = deployment;
  const model = context.served.name;
  const client = clientOf(url);
  const warm = await finish(client, await client.jobs.create({ model, input: all.slice(0, WARM_UP_TEXTS) }));
  await readVectors(client, warm, DEVICE.dimensions);

  const counting = await RedisCommands.count({ queue: queue.url, cache: cache.url });
  const began = performance.now();
  const before = readCpu(deployment);
  const job = await finish(client, await client.jobs.create({ model, input: texts }));
  const computed = readCpu(deployment);
  await readVectors(client, job, DEVICE.dimensions);
  const read = readCpu(deployment);
  const seconds = (performance.now() - began) / 1000;
  if (job.counts.cached > 0) throw new Error('the measured texts were cached already');
  const cost = {
    computed: cpuBetween(before, computed),
    readBack: cpuBetween(computed, read),
    commands: await counting.end(),
    seconds,
  };
  await deployment.stop();
  return cost;
}

function section(texts: number, costs: Record<TokenizerKind, Cost[]>): Section {
  const us = (cost: Cost) => ((ofService(cost.computed) + ofService(cost.readBack)) * 1e6) / texts;
  return {
    title: queueCost.title,
    about: [
      `One job of ${texts.toLocaleString('en-US')} distinct dictionary glosses through the REST API: uploaded, queued,`,
      'tokenised, batched, stored in cache and job, and read back as float32. The device is simulated, so inference',
      `costs nothing; its vectors have ${DEVICE.dimensions} dimensions. CPU time is that of every process as Linux accounts`,
      'it, kernel included; the client, which shares the machine, is shown but not counted.',
    ].join('\n'),
    figures: [
      {
        name: 'CPU per text outside inference',
        unit: 'µs',
        decimals: 1,
        values: costs.model.map(us),
        target: { most: MOST_US },
      },
      {
        name: 'CPU per text outside inference and tokenising',
        unit: 'µs',
        decimals: 1,
        values: costs.counting.map(us),
      },
    ],
    tables: [...TOKENIZERS.map((kind) => cpuTable(kind, texts, costs[kind])), commandTable(texts, costs.model)],
  };
}

function cpuTable(kind: TokenizerKind, texts: number, costs: readonly Cost[]): Table {
  const cells = (name: string, seconds: (split: CpuSplit) => number) => {
    const us = (split: (cost: Cost) => number) =>
      spread(
        costs.map((cost) => (split(cost) * 1e6) / texts),
        1,
      );
    return [
      name,
      us(({ computed, readBack }) => seconds(computed) + seconds(readBack)),
      us(({ computed }) => seconds(computed)),
      us(({ readBack }) => seconds(readBack)),
    ];
  };
  const parts = Object.keys(PART_NAMES) as CpuPart[];
  const rate = costs.map(({ seconds }) => texts / seconds);
  return {
    title: `CPU per text, µs, ${TOKENIZER_NAMES[kind]} (${spread(rate)} texts/s)`,
    columns: ['part', 'all', 'until stored', 'read back'],
    rows: [
      ...parts.map((part) => cells(PART_NAMES[part], (split) => split[part])),
      cells('all but the client', ofService),
    ],
  };
}

function commandTable(texts: number, costs: readonly Cost[]): Table {
  const servers = Object.keys(costs[0]!.commands);
  const rows = servers.flatMap((server) => {
    const counts = (command: string) =>
      costs.map(({ commands }) => commands[server]!.find((one) => one.command === command)?.calls ?? 0);
    const total = costs.map(({ commands }) => commands[server]!.reduce((sum, { calls }) => sum + calls, 0));
    const top = costs[0]!.commands[server]!.slice(0, TOP).map(({ command }) => command);
    const row = (name: string, calls: readonly number[]) => [
      `${server}: ${name}`,
      ((median(calls) * 1000) / texts).toFixed(1),
    ];
    return [row('all', total), ...top.map((command) => row(command.toUpperCase(), counts(command)))];
  });
  return {
    title: 'Redis commands per 1,000 texts, those inside scripts included',
    columns: ['command', 'calls'],
    rows,
  };
}
