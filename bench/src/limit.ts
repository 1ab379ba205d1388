import ort from 'onnxruntime-node';
import type { RunnableModel } from '#model';

/** `[tokens]`: ids of one text, special tokens included. */
export type TokenIds = Int32Array;

const BUDGETS = [256, 512, 1024, 2048];
const SAMPLE_EVERY = 10;

/**
 * The limit that everything else is compared with: ONNX Runtime alone on the same graph. Ids are prepared beforehand,
 * and batches are sorted by length over the whole corpus.
 */
export class RawLimit {
  readonly #session: ort.InferenceSession;
  readonly #model: RunnableModel;

  private constructor(session: ort.InferenceSession, model: RunnableModel) {
    this.#session = session;
    this.#model = model;
  }

  static async start(model: RunnableModel, threads: number): Promise<RawLimit> {
    const session = await ort.InferenceSession.create(model.onnxPath, {
      intraOpNumThreads: threads,
      graphOptimizationLevel: 'all',
    });
    return new RawLimit(session, model);
  }

  /** Splits the corpus into batches within the token budget. Not part of the measured time. */
  static batches(ids: readonly TokenIds[], tokenBudget: number): Record<string, ort.Tensor>[] {
    const sorted = [...ids].sort((a, b) => b.length - a.length);
    const batches: Record<string, ort.Tensor>[] = [];
    for (let start = 0; start < sorted.length;) {
      const longest = sorted[start]?.length ?? 1;
      const rows = Math.max(1, Math.floor(tokenBudget / longest));
      batches.push(pack(sorted.slice(start, start + rows), longest));
      start += rows;
    }
    return batches;
  }

  /**
   * Splits the corpus by the token budget with which a sample of it runs fastest, so that only the hardware is the
   * limit. Not part of the measured time.
   */
  async bestBatches(ids: readonly TokenIds[]): Promise<Record<string, ort.Tensor>[]> {
    const sample = ids.filter((_, n) => n % SAMPLE_EVERY === 0);
    let best = { seconds: Infinity, tokenBudget: 0 };
    for (const tokenBudget of BUDGETS) {
      const batches = RawLimit.batches(sample, tokenBudget);
      const seconds = Math.min(await this.run(batches), await this.run(batches));
      if (seconds < best.seconds) best = { seconds, tokenBudget };
    }
    return RawLimit.batches(ids, best.tokenBudget);
  }

  /** Runs every batch once. @returns seconds */
  async run(batches: readonly Record<string, ort.Tensor>[]): Promise<number> {
    const began = performance.now();
    for (const feeds of batches) {
      await this.#session.run(
        Object.fromEntries(this.#model.graph.inputs.map((name) => [name, feeds[name] as ort.Tensor])),
      );
    }
    return (performance.now() - began) / 1000;
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

function pack(rows: readonly TokenIds[], tokens: number): Record<string, ort.Tensor> {
  const ids = new BigInt64Array(rows.length * tokens);
  const mask = new BigInt64Array(rows.length * tokens);
  rows.forEach((row, r) => {
    row.forEach((id, t) => {
      ids[r * tokens + t] = BigInt(id);
      mask[r * tokens + t] = 1n;
    });
  });
  const shape = [rows.length, tokens];
  return {
    input_ids: new ort.Tensor('int64', ids, shape),
    attention_mask: new ort.Tensor('int64', mask, shape),
    token_type_ids: new ort.Tensor('int64', new BigInt64Array(ids.length), shape),
  };
}
