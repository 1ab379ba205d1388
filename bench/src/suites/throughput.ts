import { embedCard, isRow } from '#contracts';
import { type Engine, startEngine as startProductEngine } from '#inference';
import { TokenizerThread, type RunnableModel } from '#model';
import { readEnvironment } from '#config';
import { type Arithmetic, measureGemmPeak, operations, readArithmetic } from '../arithmetic.js';
import { readCorpus } from '../corpora.js';
import { startDeployment } from '../deployment.js';
import { clientOf, embedAsJob } from '../jobs.js';
import { RawLimit, type TokenIds } from '../limit.js';
import { spread } from '../statistics.js';
import type { BenchContext, Figure, Section, Suite, Table } from '../suite.js';

const TEXTS = 3000;
const WARM_UP_TEXTS = 200;
const DTYPES = ['fp32', 'int8'] as const;
type Dtype = (typeof DTYPES)[number];
/** Minimum values, from the project's goals. */
const LEAST = { engine: 0.97, endToEnd: { fp32: 0.95, int8: 0.9 }, fill: 0.93 };

interface Measured {
  readonly raw: number[];
  readonly engine: number[];
  readonly endToEnd: number[];
  readonly twoWorkers: number[];
  readonly cached: number[];
  readonly fill: number[];
  /** Rate of the limit, counted as the matrix products of the fp32 graph, GFLOP/s. */
  readonly gflops: number[];
  /** GEMM peak of the machine in the same run, GFLOP/s. */
  readonly peak: number[];
  tokens: number;
}

/** Bulk throughput of the same texts with ONNX Runtime alone, the engine in process, and the whole service. */
export const throughput: Suite = {
  name: 'throughput',
  title: 'Bulk throughput: limit, engine, end to end',
  async run(context) {
    const texts = await readCorpus('mixed', Math.round(TEXTS * context.scale));
    const measured: Record<Dtype, Measured> = { fp32: nothing(), int8: nothing() };
    const arithmetic = await readArithmetic(await context.model('fp32'));
    for (let run = 1; run <= context.runs; run++) {
      for (const dtype of DTYPES) {
        context.say(`run ${run} of ${context.runs}, ${dtype}`);
        await measureOnce(context, dtype, texts, arithmetic, measured[dtype]);
      }
    }
    return section(context, texts.length, measured);
  },
};

async function measureOnce(
  context: BenchContext,
  dtype: Dtype,
  texts: string[],
  arithmetic: Arithmetic,
  into: Measured,
): Promise<void> {
  const model = await context.model(dtype);
  const ids = await tokenise(model, texts);
  into.tokens = ids.reduce((sum, row) => sum + row.length, 0);

  const raw = await RawLimit.start(model, context.threads);
  const batches = await raw.bestBatches(ids);
  const limit = await raw.run(batches);
  into.raw.push(limit);
  await raw.close();
  into.gflops.push(giga(batches, arithmetic) / limit);
  into.peak.push(await measureGemmPeak(context.threads));

  const engine = await startEngine(context, model);
  const began = performance.now();
  const inputs = texts.map((text) => [text] as const);
  const outcomes = await engine.run(inputs, { prompt: '', truncate: 'end', lane: 'bulk' });
  into.engine.push((performance.now() - began) / 1000);
  if (!outcomes.every(isRow)) throw new Error('the engine failed a text');
  const { tokens, paddedTokens } = engine.stats();
  into.fill.push(tokens / paddedTokens);
  await engine.close();

  for (const workers of [1, 2]) {
    const threads = Math.max(1, Math.floor(context.threads / workers));
    const deployment = await startDeployment(context, { dtype, workers, threads });
    const { name } = model.card;
    const { dimensions } = embedCard(model.card);
    const client = clientOf(deployment.url);
    // Warm up, as for the rows before: a service in production has been running for some time.
    await embedAsJob(client, name, await readCorpus('short', WARM_UP_TEXTS), dimensions);
    const first = await embedAsJob(client, name, texts, dimensions);
    if (first.cached > 0) throw new Error('the first pass met a filled cache');
    (workers === 1 ? into.endToEnd : into.twoWorkers).push(first.seconds);
    if (workers === 1) {
      const second = await embedAsJob(client, name, texts, dimensions);
      if (second.cached !== texts.length) throw new Error(`only ${second.cached} texts came from the cache`);
      into.cached.push(second.seconds);
    }
    await deployment.stop();
  }
}

async function tokenise(model: RunnableModel, texts: readonly string[]): Promise<TokenIds[]> {
  const tokenizer = await TokenizerThread.start(model.tokenizerFiles);
  const encoded = await tokenizer.encode(
    texts.map((text) => [text] as const),
    { prompt: '', truncate: 'end', maxTokens: model.card.maxTokens },
  );
  await tokenizer.close();
  return encoded.map((text) => {
    if (text instanceof Error) throw text;
    return text.ids;
  });
}

/** Operations of all batches together, in units of 10^9. */
function giga(batches: readonly Readonly<Record<string, { readonly dims: readonly number[] }>>[], of: Arithmetic) {
  const each = batches.map(({ input_ids: ids }) => operations(of, ids!.dims[0]!, ids!.dims[1]!));
  return each.reduce((sum, one) => sum + one, 0) / 1e9;
}

/** Starts the engine as a worker does by default. */
export function startEngine(context: BenchContext, model: RunnableModel): Promise<Engine> {
  const environment = readEnvironment(process.env);
  return startProductEngine(model, {
    device: 'cpu',
    threads: context.threads,
    tokenBudget: environment.EMBED_TOKEN_BUDGET,
    bulkShare: environment.EMBED_BULK_SHARE,
  });
}

function section(context: BenchContext, texts: number, measured: Record<Dtype, Measured>): Section {
  const { fp32, int8 } = measured;
  const figures: Figure[] = DTYPES.flatMap((dtype): Figure[] => {
    const { raw, engine, endToEnd } = measured[dtype];
    return [
      { name: `engine / limit, ${dtype}`, unit: '', values: ratio(raw, engine), target: { least: LEAST.engine } },
      {
        name: `end to end / limit, ${dtype}`,
        unit: '',
        values: ratio(raw, endToEnd),
        target: { least: LEAST.endToEnd[dtype] },
      },
    ];
  });
  figures.push(
    { name: 'int8 / fp32 throughput, engine', unit: '', values: ratio(fp32.engine, int8.engine), target: { least: 2 } },
    { name: 'int8 / fp32 throughput, end to end', unit: '', values: ratio(fp32.endToEnd, int8.endToEnd) },
    { name: 'fill: real / padded tokens', unit: '', values: fp32.fill, target: { least: LEAST.fill } },
    {
      name: 'limit / GEMM peak of the machine, fp32',
      unit: '',
      values: fp32.gflops.map((gflops, run) => gflops / fp32.peak[run]!),
    },
    { name: 'all cached / first pass, fp32', unit: '', decimals: 1, values: ratio(fp32.endToEnd, fp32.cached) },
  );
  return {
    title: throughput.title,
    about: [
      `${texts.toLocaleString('en-US')} texts of the mixed corpus (paragraphs of README files, 1 to 2,000 characters),`,
      `${fp32.tokens.toLocaleString('en-US')} tokens. The limit is ONNX Runtime alone: the same graph, ids prepared,`,
      'batches sorted over the whole corpus and cut at the best of several sizes. End to end is from the first byte of the upload to the last byte of the',
      `vectors read back, after a job of ${WARM_UP_TEXTS} other texts. ${context.threads} threads in every row; two workers have half of them each.`,
    ].join('\n'),
    figures,
    tables: DTYPES.map((dtype) => table(dtype, texts, measured[dtype])),
    notes: DTYPES.map(
      (dtype) =>
        `The limit in ${dtype} does ${spread(measured[dtype].gflops)} GFLOP/s, counted as the matrix products of the fp32 graph; one large product of fp32 matrices, in the same run, reaches ${spread(measured[dtype].peak)} GFLOP/s.`,
    ),
  };
}

function table(dtype: Dtype, texts: number, { tokens, raw, engine, endToEnd, twoWorkers, cached }: Measured): Table {
  const row = (name: string, seconds: readonly number[]) => [
    name,
    seconds === raw ? '1' : spread(ratio(raw, seconds), 2),
    spread(seconds.map((s) => texts / s)),
    spread(seconds.map((s) => tokens / s)),
    spread(seconds, 2),
  ];
  return {
    title: dtype,
    columns: ['row', 'of the limit', 'texts/s', 'tokens/s', 'seconds'],
    rows: [
      row('Limit: ONNX Runtime alone', raw),
      row('Engine in process: tokenise, batch, infer', engine),
      row('End to end, one worker', endToEnd),
      row('End to end, two workers', twoWorkers),
      row('The same job again, all cached', cached),
    ],
  };
}

/** `slow / fast` for each run: how many times as fast `fast` is. */
function ratio(slow: readonly number[], fast: readonly number[]): number[] {
  return fast.map((seconds, run) => slow[run]! / seconds);
}

function nothing(): Measured {
  return { raw: [], engine: [], endToEnd: [], twoWorkers: [], cached: [], fill: [], gflops: [], peak: [], tokens: 0 };
}
