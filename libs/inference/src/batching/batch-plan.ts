import type { AttentionBudget } from '#model';
import { rowsWithin } from './rows-within.js';

/** Limits and cost model of a micro-batch. */
export interface BatchLimits {
  /** Maximum padded tokens: rows x longest row. */
  readonly tokenBudget: number;
  readonly maxRows: number;
  /** Memory of attention. Default: not limited. */
  readonly attention?: AttentionBudget | undefined;
  /** Fixed cost of a batch, in tokens: a batch costs about `overheadTokens + rows * longest`. */
  readonly overheadTokens: number;
}

/** @returns the most rows of a micro-batch whose longest row has so many tokens, at least one if that one fits */
export function mostRows({ attention, maxRows, tokenBudget }: BatchLimits, longest: number): number {
  return Math.min(maxRows, Math.floor(tokenBudget / longest), rowsWithin(attention, longest));
}

/**
 * A batch plan splits texts sorted by length into micro-batches of minimum total cost, by dynamic programming from the
 * shortest text up: the cheapest plan for texts `i..n` is the batch `i..j` plus the cheapest plan for `j..n`, minimised
 * over `j`. Small overhead gives batches with little padding, large overhead gives full ones.
 *
 * Reuses its scratch arrays between calls. A call takes about `n` x (number of different lengths in one batch) steps.
 */
export class BatchPlan {
  readonly #limits: BatchLimits;
  #cost = new Float64Array(0);
  #batchEnd = new Int32Array(0);
  #runEnd = new Int32Array(0);

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  /**
   * The batch in the cheapest plan that contains text `anchor`, as positions `[from, to)`.
   * @param lengths `[>= count]`, descending, each from 1 to `tokenBudget`
   * @param anchor position of the text, from 0
   */
  around(lengths: Int32Array, count: number, anchor: number): { from: number; to: number } {
    this.#cut(lengths, count);
    let from = 0;
    for (;;) {
      const to = this.#batchEnd[from]!;
      if (anchor < to) return { from, to };
      from = to;
    }
  }

  /** Fills `batchEnd[i]`: where the batch that begins at `i` ends in the cheapest plan for `i..count`. */
  #cut(lengths: Int32Array, count: number): void {
    if (this.#cost.length <= count) {
      this.#cost = new Float64Array(count + 1);
      this.#batchEnd = new Int32Array(count + 1);
      this.#runEnd = new Int32Array(count + 1);
    }
    const { overheadTokens } = this.#limits;
    const cost = this.#cost;
    const runEnd = this.#runEnd;
    cost[count] = 0;
    for (let i = count - 1; i >= 0; i--) {
      const longest = lengths[i]!;
      runEnd[i] = i + 1 < count && lengths[i + 1] === longest ? runEnd[i + 1]! : i + 1;
      const limit = Math.min(count, i + mostRows(this.#limits, longest));
      let best = Infinity;
      let bestEnd = limit;
      // Within a run of equal lengths, cost is linear in where the batch ends, so only the ends of runs and the limit
      // are tried. (Near a limit another end may save a token or two, but trying all ends costs far more.)
      for (let end = Math.min(limit, runEnd[i]!); ; end = Math.min(limit, runEnd[end]!)) {
        const total = overheadTokens + (end - i) * longest + cost[end]!;
        if (total <= best) {
          best = total;
          bestEnd = end;
        }
        if (end === limit) break;
      }
      cost[i] = best;
      this.#batchEnd[i] = bestEnd;
    }
  }
}
