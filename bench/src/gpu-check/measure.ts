import { availableParallelism } from 'node:os';
import { OnnxDevice, type PackedBatch, parseDevice } from '#inference';
import type { RunnableModel } from '#model';

export interface Load {
  /** Ids are below this. */
  readonly vocabulary: number;
  /** Texts, and tokens of each, of a batch whose time is taken. */
  readonly rows: number;
  readonly tokens: number;
  /** Time to measure for, ms. */
  readonly forMs: number;
}

export interface Measured {
  /** Vectors of `FIDELITY_LENGTHS.length` texts. */
  readonly vectors: readonly Float32Array[];
  readonly tokensPerSecond: number;
}

/** Tokens of the texts whose vectors are compared: in one batch, with much padding. */
const FIDELITY_LENGTHS = [3, 17, 33, 64, 90, 128, 200, 256];

/** Runs a model on a device. @param timed whether to measure its speed, too; else `tokensPerSecond` is 0 */
export async function measure(model: RunnableModel, name: string, load: Load, timed: boolean): Promise<Measured> {
  const longest = Math.max(...FIDELITY_LENGTHS);
  const device = await OnnxDevice.start({
    model,
    device: parseDevice(name),
    threads: availableParallelism(),
    tokenBudget: Math.max(load.rows * load.tokens, FIDELITY_LENGTHS.length * longest),
    maxTokens: longest,
  });
  try {
    const { values } = await device.run(batch(FIDELITY_LENGTHS, load.vocabulary));
    const vectors = FIDELITY_LENGTHS.map((_, row) => values.slice(row * device.width, (row + 1) * device.width));
    if (!timed) return { vectors, tokensPerSecond: 0 };
    const lengths = Array<number>(load.rows).fill(load.tokens);
    await device.run(batch(lengths, load.vocabulary));
    let [tokens, ms] = [0, 0];
    while (ms < load.forMs) {
      ms += (await device.run(batch(lengths, load.vocabulary))).deviceMs;
      tokens += load.rows * load.tokens;
    }
    return { vectors, tokensPerSecond: (1000 * tokens) / ms };
  } finally {
    await device.close();
  }
}

function batch(lengths: readonly number[], vocabulary: number): PackedBatch {
  const tokens = Math.max(...lengths);
  const ids = Int32Array.from({ length: lengths.length * tokens }, (_, i) =>
    i % tokens < lengths[Math.floor(i / tokens)]! ? 1 + ((i * 7919) % (vocabulary - 1)) : 0,
  );
  return { rows: lengths.length, tokens, ids, types: null, lengths: Int32Array.from(lengths) };
}
