import { TokenizerThread } from '#model';
import { readCorpus } from '../corpora.js';
import { agreement, type Agreement, FULL_AGREEMENT, least, LEAST_AGREEMENT } from '../peers/agreement.js';
import { type Available, availablePeers } from '../peers/available.js';
import { ours } from '../peers/ours.js';
import type { Peer, PeerRun } from '../peers/peer.js';
import { withoutPaths } from '../peers/peers-folder.js';
import { spread } from '../statistics.js';
import type { BenchContext, Figure, Section, Suite } from '../suite.js';

const TEXTS = 2000;
const WARM_UP_TEXTS = 32;
const DEFAULT_MODEL = 'all-MiniLM-L6-v2';
/** Minimum values, from the project's goals. */
const LEAST = { bestDtype: 2, fp32: 1.15 };

const ABOUT_INT8 =
  "The peers' int8 is ONNX Runtime's dynamic quantisation, as sentence-transformers makes it and transformers.js loads it. " +
  'Rows in int8 are compared among themselves for speed; how near each stays to fp32 is in the table.';

/** One row of the table, over all runs. */
interface Row {
  readonly peer: Peer;
  readonly seconds: number[];
  /** Agreement with our fp32 vectors, over all texts and runs. */
  agreement: Agreement;
  /** Why it could not be measured, one line. */
  failure?: string;
}

/** Alternatives to Embedmill, with the same texts, threads and weights. */
export const peers: Suite = {
  name: 'peers',
  title: 'Beside what people would use instead',
  async run(context) {
    if (context.served.name !== DEFAULT_MODEL) throw new Error(`peers are set up for ${DEFAULT_MODEL} only`);
    const [warmUp, texts] = await corpus(Math.round(TEXTS * context.scale));
    const available = await availablePeers(context);
    const rows = [ours(context, 'fp32'), ours(context, 'int8'), ...available.peers].map((peer): Row => ({
      peer,
      seconds: [],
      agreement: FULL_AGREEMENT,
    }));
    const cut = await findCut(context, texts);
    for (let run = 1; run <= context.runs; run++) {
      let reference: Float32Array | null = null;
      for (const row of rows) {
        if (row.failure !== undefined) continue;
        context.say(`run ${run} of ${context.runs}, ${row.peer.name}`);
        const measured = await measure(row, warmUp, texts);
        if (measured === null) continue;
        reference ??= measured.vectors;
        row.seconds.push(measured.seconds);
        row.agreement = least(row.agreement, agreement(reference, measured.vectors, cut));
      }
    }
    return section(context, cut, rows, available);
  },
};

/** Warm-up and measured texts are distinct: otherwise a cache would answer. */
async function corpus(count: number): Promise<[warmUp: string[], texts: string[]]> {
  const texts = await readCorpus('mixed', WARM_UP_TEXTS + count);
  return [texts.slice(0, WARM_UP_TEXTS), texts.slice(WARM_UP_TEXTS)];
}

/** For each text, whether it is longer than the model's limit. */
async function findCut(context: BenchContext, texts: readonly string[]): Promise<boolean[]> {
  const { card, tokenizerFiles } = await context.model('fp32');
  const tokenizer = await TokenizerThread.start(tokenizerFiles);
  const encoded = await tokenizer.encode(
    texts.map((text) => [text] as const),
    { prompt: '', truncate: 'end', maxTokens: card.maxTokens },
  );
  await tokenizer.close();
  return encoded.map((one) => !(one instanceof Error) && one.truncated);
}

/** @returns null when a peer fails, with the reason in its row @throws when Embedmill fails */
async function measure(row: Row, warmUp: readonly string[], texts: readonly string[]): Promise<PeerRun | null> {
  try {
    const running = await row.peer.start();
    try {
      await running.embed(warmUp);
      return await running.embed(texts);
    } finally {
      await running.stop();
    }
  } catch (error) {
    if (isOurs(row)) throw error;
    row.failure = withoutPaths(error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
    return null;
  }
}

function isOurs({ peer }: Row): boolean {
  return peer.kind.startsWith('Embedmill');
}

function section(context: BenchContext, cut: readonly boolean[], rows: readonly Row[], available: Available): Section {
  const mine = rows.filter(isOurs);
  const measured = rows.filter((row) => !isOurs(row) && row.failure === undefined);
  const comparable = measured.filter(({ peer, agreement }) => peer.dtype === 'fp32' && agrees(agreement));
  const best = fastest(mine);
  const figures = [...new Set(comparable.map(({ peer }) => peer.kind))].map((kind): Figure => ({
    name: `end to end, ours best dtype / ${kind}, mixed corpus`,
    unit: '',
    values: ratio(fastest(comparable.filter(({ peer }) => peer.kind === kind)), best),
    target: { least: LEAST.bestDtype },
  }));
  const of = (from: readonly Row[], dtype: Peer['dtype']) => from.filter(({ peer }) => peer.dtype === dtype);
  if (comparable.length > 0) {
    figures.push({
      name: 'end to end, ours fp32 / best peer configuration in fp32',
      unit: '',
      values: ratio(fastest(comparable), fastest(of(mine, 'fp32'))),
      target: { least: LEAST.fp32 },
    });
  }
  const quantized = of(measured, 'int8');
  if (quantized.length > 0) {
    figures.push({
      name: 'end to end, ours int8 / best peer configuration in int8',
      unit: '',
      values: ratio(fastest(quantized), fastest(of(mine, 'int8'))),
    });
  }
  return {
    title: peers.title,
    about: [
      `${cut.length.toLocaleString('en-US')} texts of the mixed corpus, the default model with the same weights and`,
      `limit of tokens for all, ${context.threads} threads each, one after the other, each warmed up. Ours, Infinity`,
      'and transformers.js are whole services, from handing in the texts until all vectors are with the client;',
      'sentence-transformers is a call in its own process, with no service around it. Where a kind has several rows,',
      'its fastest in each run counts. Agreement is the least cosine with our fp32 vectors: of all texts within the',
      `limit, which decides whether a row in fp32 is comparable, and of the ${cut.filter(Boolean).length} that are cut.`,
    ].join('\n'),
    figures,
    tables: [
      {
        title: '',
        columns: ['row', 'texts/s', 'seconds', 'of ours fp32', 'agreement', 'of cut texts'],
        rows: rows.map((row) => cells(row, cut.length, mine[0]!)),
      },
    ],
    notes: [
      ...(available.versions.length > 0 ? [`${available.versions.join(', ')}.`] : []),
      ...available.remarks,
      ...(quantized.length > 0 ? [ABOUT_INT8] : []),
    ],
  };
}

function cells(row: Row, texts: number, reference: Row): string[] {
  const { peer, seconds, failure } = row;
  if (failure !== undefined) return [peer.name, '', '', '', `could not be measured: ${failure}`, ''];
  const { whole, cut } = row.agreement;
  return [
    peer.name,
    spread(seconds.map((s) => texts / s)),
    spread(seconds, 2),
    row === reference ? '1' : spread(ratio(reference.seconds, seconds), 2),
    row.peer.dtype === 'int8' || agrees(row.agreement) ? whole.toFixed(5) : `${whole.toFixed(5)}: **not comparable**`,
    cut.toFixed(5),
  ];
}

/** Whether an fp32 row is comparable; int8 may differ, and the table shows by how much. */
function agrees({ whole }: Agreement): boolean {
  return whole >= LEAST_AGREEMENT;
}

/** The fewest seconds of all rows, for each run. */
function fastest(rows: readonly Row[]): number[] {
  const [first, ...others] = rows;
  return first!.seconds.map((seconds, run) => Math.min(seconds, ...others.map((row) => row.seconds[run]!)));
}

/** `slow / fast` for each run: how many times as fast `fast` is. */
function ratio(slow: readonly number[], fast: readonly number[]): number[] {
  return fast.map((seconds, run) => slow[run]! / seconds);
}
