/** What a micro-batch may be, and what it costs. */
export interface BatchLimits {
  /** Padded tokens: rows x longest row. */
  readonly tokenBudget: number;
  readonly maxRows: number;
  /** What a batch costs before its first token, in tokens: a batch takes about `overheadTokens + rows * longest`. */
  readonly overheadTokens: number;
}

/**
 * A batch plan cuts texts sorted by length into micro-batches so that together they cost the least, by dynamic
 * programming from the shortest text up: the cheapest way to run texts `i..n` is the cheapest first batch `i..j` plus
 * the cheapest way to run `j..n`. Small overhead gives tight batches, large overhead gives full ones.
 *
 * Keeps its scratch arrays between calls; a call takes about `n` x (different lengths in one batch) steps.
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
   * The batch of the cheapest plan that text `anchor` belongs to, as positions `[from, to)`.
   *
   * @param lengths `[>= count]`, descending, each from 1 to `tokenBudget`.
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
    const { tokenBudget, maxRows, overheadTokens } = this.#limits;
    const cost = this.#cost;
    const runEnd = this.#runEnd;
    cost[count] = 0;
    for (let i = count - 1; i >= 0; i--) {
      const longest = lengths[i]!;
      runEnd[i] = i + 1 < count && lengths[i + 1] === longest ? runEnd[i + 1]! : i + 1;
      const limit = Math.min(count, i + Math.min(maxRows, Math.floor(tokenBudget / longest)));
      let best = Infinity;
      let bestEnd = limit;
      // Cost is linear in how much of a run of equal lengths goes along, so ends of runs and the limit are
      // the ends that matter (beside a limit, another one may save a token or two; trying them all costs far more).
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
