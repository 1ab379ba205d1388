import type { Lane } from '#contracts';
import { BatchPlan, type BatchLimits, mostRows } from './batch-plan.js';
import { LengthBuckets, type Sized } from './length-buckets.js';

/** A text to be put into a micro-batch. */
export interface Batchable extends Sized {
  readonly lane: Lane;
}

export interface MicroBatcherOptions extends BatchLimits {
  /** Texts sorted and planned together: up to this many longer than the oldest text, and as many shorter or equal. */
  readonly lookaheadTexts: number;
  /** Share of batches that bulk gets while both lanes hold texts, 0..1. */
  readonly bulkShare: number;
}

/** Texts that run together. */
export interface MicroBatch<T> {
  /** Longest first. */
  readonly items: readonly T[];
  /** Tokens of the longest. */
  readonly longest: number;
  /** The lane whose turn it was. An interactive batch may also contain bulk texts. */
  readonly lane: Lane;
  /** Texts of that lane when the batch was chosen, those of the batch included. */
  readonly candidates: number;
  /** Bulk's credit before this batch, which `putBack` restores. */
  readonly bulkCreditBefore: number;
}

/** Bulk texts may join an interactive batch if they have at least this share of its longest row's tokens. */
const CARRIED_FILL = 0.75;

/**
 * A micro-batcher decides which texts run together and when. Pure: no clock, no randomness, no promises.
 *
 * Every batch contains the oldest text of the lane whose turn it is, so no text starves. It is joined by the texts that
 * the cheapest plan over the lane's texts puts in the same batch (`BatchPlan`). Interactive texts go first; while both
 * lanes hold texts, bulk gets its share of batches.
 */
export class MicroBatcher<T extends Batchable> {
  readonly #options: MicroBatcherOptions;
  readonly #plan: BatchPlan;
  readonly #lanes: Record<Lane, LengthBuckets<T>> = { interactive: new LengthBuckets(), bulk: new LengthBuckets() };
  readonly #nearest: Int32Array;
  /** Batches that bulk is owed: it gets the next batch when this reaches 1. */
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

  /** Texts held in one lane. */
  queued(lane: Lane): number {
    return this.#lanes[lane].size;
  }

  /** @throws RangeError when the text does not fit in a batch */
  add(item: T): void {
    if (!(item.length >= 1 && item.length <= this.#options.tokenBudget)) {
      throw new RangeError(`a text of ${item.length} tokens does not fit a budget of ${this.#options.tokenBudget}`);
    }
    this.#lanes[item.lane].add(item);
  }

  /** Removes a text. @returns false when it is not held */
  remove(item: T): boolean {
    return this.#lanes[item.lane].delete(item);
  }

  /** Removes and returns the next batch; undefined when no text is held. */
  next(): MicroBatch<T> | undefined {
    const { interactive, bulk } = this.#lanes;
    const bulkCreditBefore = this.#bulkCredit;
    const contended = interactive.size > 0 && bulk.size > 0;
    if (contended) this.#bulkCredit += this.#options.bulkShare;
    const bulkIsDue = contended && this.#bulkCredit >= 1 - 1e-9;
    // Batches that bulk gets while no interactive text waits use up credit too.
    if (bulk.size > 0 && (bulkIsDue || !contended)) this.#bulkCredit = Math.max(0, this.#bulkCredit - 1);
    const lane: Lane = bulkIsDue || interactive.size === 0 ? 'bulk' : 'interactive';
    const candidates = this.#lanes[lane].size;
    const items = this.#cut(this.#lanes[lane]);
    const longest = items[0]?.length;
    if (longest === undefined) return undefined;
    if (lane === 'interactive') this.#carryAlong(items, longest);
    return { items, longest, lane, candidates, bulkCreditBefore };
  }

  /** Undoes `next`: the texts return to their places. Only for the last batch that `next` returned. */
  putBack(batch: MicroBatch<T>): void {
    this.#bulkCredit = batch.bulkCreditBefore;
    const newestFirst = batch.items.toSorted((a, b) => b.arrival - a.arrival);
    for (const item of newestFirst) this.#lanes[item.lane].add(item);
  }

  /** Removes and returns the oldest text and those that the cheapest plan puts in its batch. */
  #cut(lane: LengthBuckets<T>): T[] {
    const oldest = lane.oldest();
    if (oldest === undefined) return [];
    const nearest = this.#nearest;
    const { count, longer } = lane.lengthsAround(oldest.length, this.#options.lookaheadTexts, nearest);
    // `longer` is the first position of the oldest text's length, and `take` returns the oldest of a length first.
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
   * Adds bulk texts of similar length while the batch has fewer tokens than a batch's fixed cost: they delay the
   * interactive texts very little.
   */
  #carryAlong(items: T[], longest: number): void {
    const rows = Math.min(mostRows(this.#options, longest), Math.floor(this.#options.overheadTokens / longest));
    while (items.length < rows) {
      const length = this.#lanes.bulk.lengthAtMost(longest);
      if (length === undefined || length < longest * CARRIED_FILL) return;
      items.push(...this.#lanes.bulk.take(length, rows - items.length));
    }
  }
}
