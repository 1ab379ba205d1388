/** What length buckets need to know about an item. */
export interface Sized {
  /** Tokens, at least 1. */
  readonly length: number;
  /** Order of arrival, ascending; unique. */
  readonly arrival: number;
}

interface Node<T> {
  readonly item: T;
  older: Node<T> | null;
  newer: Node<T> | null;
}

interface Bucket<T> {
  oldest: Node<T> | null;
  newest: Node<T> | null;
  size: number;
}

/**
 * Length buckets keep items sorted by length and, within one length, by arrival. Adding, deleting or taking an item
 * costs O(1) plus a binary search over the distinct lengths held.
 */
export class LengthBuckets<T extends Sized> {
  readonly #buckets = new Map<number, Bucket<T>>();
  readonly #nodes = new Map<T, Node<T>>();
  /** The distinct lengths held, ascending. */
  readonly #lengths: number[] = [];

  get size(): number {
    return this.#nodes.size;
  }

  /** Adds an item. One that was taken before returns to its place by arrival. */
  add(item: T): void {
    let bucket = this.#buckets.get(item.length);
    if (bucket === undefined) {
      bucket = { oldest: null, newest: null, size: 0 };
      this.#buckets.set(item.length, bucket);
      this.#lengths.splice(this.#rank(item.length), 0, item.length);
    }
    const node: Node<T> = { item, older: bucket.newest, newer: null };
    // Nearly always at one of the ends: new items are the newest, and items that are put back the oldest.
    if (bucket.oldest !== null && item.arrival < bucket.oldest.item.arrival) {
      node.older = null;
    } else {
      while (node.older !== null && node.older.item.arrival > item.arrival) node.older = node.older.older;
    }
    node.newer = node.older === null ? bucket.oldest : node.older.newer;
    if (node.older === null) bucket.oldest = node;
    else node.older.newer = node;
    if (node.newer === null) bucket.newest = node;
    else node.newer.older = node;
    bucket.size++;
    this.#nodes.set(item, node);
  }

  /** Removes an item. @returns whether it was held */
  delete(item: T): boolean {
    const node = this.#nodes.get(item);
    if (node === undefined) return false;
    this.#nodes.delete(item);
    const bucket = this.#buckets.get(item.length)!;
    if (node.older === null) bucket.oldest = node.newer;
    else node.older.newer = node.newer;
    if (node.newer === null) bucket.newest = node.older;
    else node.newer.older = node.older;
    bucket.size--;
    if (bucket.size === 0) {
      this.#buckets.delete(item.length);
      this.#lengths.splice(this.#rank(item.length), 1);
    }
    return true;
  }

  /** The item that arrived first, of any length. */
  oldest(): T | undefined {
    let oldest: T | undefined;
    for (const length of this.#lengths) {
      const item = this.#buckets.get(length)!.oldest!.item;
      if (oldest === undefined || item.arrival < oldest.arrival) oldest = item;
    }
    return oldest;
  }

  /**
   * Writes the lengths of the items nearest to `length`, descending: at most `reach` longer items, then at most `reach`
   * of that length or shorter.
   * @param into `[>= 2 * reach]`
   * @returns how many lengths were written, and how many of them are longer than `length`
   */
  lengthsAround(length: number, reach: number, into: Int32Array): { count: number; longer: number } {
    const middle = this.#rank(length);
    let longer = 0;
    let top = this.#lengths[middle] === length ? middle + 1 : middle;
    for (; top < this.#lengths.length && longer < reach; top++) longer += this.#count(top);
    longer = Math.min(longer, reach);
    let count = 0;
    // The topmost bucket may be included only partly.
    let skip = -longer;
    for (let rank = top - 1; rank >= 0 && this.#lengths[rank]! > length; rank--) skip += this.#count(rank);
    for (let rank = top - 1; rank >= 0 && count < longer + reach; rank--) {
      const free = (this.#lengths[rank]! > length ? longer : longer + reach) - count;
      const size = Math.min(this.#count(rank) - skip, free);
      skip = 0;
      into.fill(this.#lengths[rank]!, count, count + size);
      count += size;
    }
    return { count, longer };
  }

  /** Removes and returns up to `count` items of exactly this length, oldest first. */
  take(length: number, count: number): T[] {
    const taken: T[] = [];
    while (taken.length < count) {
      const node = this.#buckets.get(length)?.oldest;
      if (node === undefined || node === null) break;
      this.delete(node.item);
      taken.push(node.item);
    }
    return taken;
  }

  /** The greatest length held that is at most `length`; undefined when there is none. */
  lengthAtMost(length: number): number | undefined {
    const rank = this.#rank(length);
    return this.#lengths[rank] === length ? length : this.#lengths[rank - 1];
  }

  #count(rank: number): number {
    return this.#buckets.get(this.#lengths[rank]!)!.size;
  }

  /** Index of the first length held that is at least `length`. */
  #rank(length: number): number {
    let low = 0;
    let high = this.#lengths.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#lengths[middle]! < length) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
