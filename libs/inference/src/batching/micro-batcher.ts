import type { Lane } from '#contracts';
import { BatchPlan, type BatchLimits } from './batch-plan.js';
import { LengthBuckets, type Sized } from './length-buckets.js';

/** A text that waits for its micro-batch. */
export interface Batchable extends Sized {
  readonly lane: Lane;
}

export interface MicroBatcherOptions extends BatchLimits {
  /** Texts, nearest in length to the oldest, that are sorted and planned together. */
  readonly lookaheadTexts: number;
  /** Share of batches that bulk gets while both lanes hold texts, 0..1. */
  readonly bulkShare: number;
}

/** Texts to be run together. */
export interface MicroBatch<T> {
  /** The longest first. */
  readonly items: readonly T[];
  /** Tokens of the longest. */
  readonly longest: number;
  /** The lane whose turn it was; an interactive batch may carry bulk texts along. */
  readonly lane: Lane;
  /** Texts of that lane it was chosen from, its own included. */
  readonly candidates: number;
  /** Bulk's credit before this batch; `putBack` restores it. */
  readonly bulkCreditBefore: number;
}

/** Bulk rows carried along in an interactive batch have at least this part of its longest row. */
const CARRIED_FILL = 0.75;

/**
 * A micro-batcher decides which texts run together and when. Pure: no clock, no randomness, no promises.
 *
 * Every batch holds the oldest text of the lane whose turn it is, so no text is overtaken for ever; the texts that join
 * it are those that the cheapest plan over the lane's texts puts in one batch with it (`BatchPlan`). Interactive texts
 * go first; while both lanes hold texts, bulk gets its share of batches.
 */
export class MicroBatcher<T extends Batchable> {
  readonly #options: MicroBatcherOptions;
  readonly #plan: BatchPlan;
  readonly #lanes: Record<Lane, LengthBuckets<T>> = { interactive: new LengthBuckets(), bulk: new LengthBuckets() };
  readonly #nearest: Int32Array;
  /** Turns that bulk has earned, in batches; at 1 it takes one. */
  #bulkCredit = 0;

  /** @throws RangeError when an option is out of range. */
  constructor(options: MicroBatcherOptions) {
    const { tokenBudget, maxRows, lookaheadTexts, overheadTokens, bulkShare } = options;
    for (const [name, value] of Object.entries({ tokenBudget, maxRows, lookaheadTexts })) {
      if (!Number.isInteger(value) || value < 1) throw new RangeError(`${name} must be a whole number from 1 up`);
    }
    if (!(overheadTokens >= 0)) throw new RangeError('overheadTokens must not be negative');
    if (!(bulkShare >= 0 && bulkShare <= 1)) throw new RangeError('bulkShare must lie between 0 and 1');
    this.#options = options;
    this.#plan = new BatchPlan(options);
    this.#nearest = new Int32Array(2 * lookaheadTexts);
  }

  /** Texts held. */
  get size(): number {
    return this.#lanes.interactive.size + this.#lanes.bulk.size;
  }

  /** Texts held of one lane. */
  queued(lane: Lane): number {
    return this.#lanes[lane].size;
  }

  /** @throws RangeError when the text fits no batch. */
  add(item: T): void {
    if (!(item.length >= 1 && item.length <= this.#options.tokenBudget)) {
      throw new RangeError(`a text of ${item.length} tokens does not fit a budget of ${this.#options.tokenBudget}`);
    }
    this.#lanes[item.lane].add(item);
  }

  /** Drops a text; false when it is not held (any more). */
  remove(item: T): boolean {
    return this.#lanes[item.lane].delete(item);
  }

  /** Takes the next batch out; undefined when nothing is held. */
  next(): MicroBatch<T> | undefined {
    const { interactive, bulk } = this.#lanes;
    const bulkCreditBefore = this.#bulkCredit;
    const contended = interactive.size > 0 && bulk.size > 0;
    if (contended) this.#bulkCredit += this.#options.bulkShare;
    const bulkIsDue = contended && this.#bulkCredit >= 1 - 1e-9;
    // What bulk gets between queries counts too: only queries that leave it nothing owe it a turn.
    if (bulk.size > 0 && (bulkIsDue || !contended)) this.#bulkCredit = Math.max(0, this.#bulkCredit - 1);
    const lane: Lane = bulkIsDue || interactive.size === 0 ? 'bulk' : 'interactive';
    const candidates = this.#lanes[lane].size;
    const items = this.#cut(this.#lanes[lane]);
    const longest = items[0]?.length;
    if (longest === undefined) return undefined;
    if (lane === 'interactive') this.#carryAlong(items, longest);
    return { items, longest, lane, candidates, bulkCreditBefore };
  }

  /** Undoes `next`: its texts get their places back. Only for the batch taken last. */
  putBack(batch: MicroBatch<T>): void {
    this.#bulkCredit = batch.bulkCreditBefore;
    const newestFirst = batch.items.toSorted((a, b) => b.arrival - a.arrival);
    for (const item of newestFirst) this.#lanes[item.lane].add(item);
  }

  /** The oldest text and those that the cheapest plan puts in its batch. */
  #cut(lane: LengthBuckets<T>): T[] {
    const oldest = lane.oldest();
    if (oldest === undefined) return [];
    const nearest = this.#nearest;
    const { count, longer } = lane.lengthsAround(oldest.length, this.#options.lookaheadTexts, nearest);
    // The oldest is the first of its length to be taken, and `longer` is the first position of that length.
    const { from, to } = this.#plan.around(nearest, count, longer);
    const items: T[] = [];
    for (let start = from; start < to;) {
      const length = nearest[start]!;
      let end = start + 1;
      while (end < to && nearest[end] === length) end++;
      items.push(...lane.take(length, end - start));
      start = end;
    }
    return items;
  }

  /**
   * Lets bulk texts of fitting length ride along while the batch is smaller than a batch's own overhead: they cost the
   * waiting queries next to nothing.
   */
  #carryAlong(items: T[], longest: number): void {
    const { overheadTokens, tokenBudget, maxRows } = this.#options;
    const rows = Math.min(maxRows, Math.floor(Math.min(overheadTokens, tokenBudget) / longest));
    while (items.length < rows) {
      const length = this.#lanes.bulk.lengthAtMost(longest);
      if (length === undefined || length < longest * CARRIED_FILL) return;
      items.push(...this.#lanes.bulk.take(length, rows - items.length));
    }
  }
}
