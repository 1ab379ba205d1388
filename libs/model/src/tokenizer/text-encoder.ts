import type { ModelTexts } from '#contracts';
import { type BoundedIds, FIRST_CHARS, firstIds, lastIds, type Reading } from './bounded-ids.js';
import type { Boundaries } from './boundaries.js';
import type { Framed, TokenizerDriver } from './drivers/driver.js';
import type { Encoded, EncodeOptions } from './tokenizer.js';
import { truncateIds } from './truncate-ids.js';

/** Special tokens that the post-processor adds around the two texts of a pair, and the segments of all parts. */
interface PairFrame {
  readonly before: readonly number[];
  readonly between: readonly number[];
  readonly after: readonly number[];
  /** Segment of: before, first text, between, second text, after. */
  readonly types: readonly [number, number, number, number, number];
}

/** Special tokens that the post-processor adds before and after a text. */
interface Frame {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

interface Waiting {
  readonly text: string;
  resolve(ids: readonly number[]): void;
  reject(error: Error): void;
}

const PROBE = 'a';

/** Encodes inputs with a model's own tokenizer, tokenising no more of a text than what is kept takes. */
export class ModelTextEncoder {
  readonly #driver: TokenizerDriver;
  readonly #reading: Reading;
  readonly #probe: readonly number[];
  readonly #frame: Frame;
  readonly #prompts = new Map<string, Promise<readonly number[]>>();
  #pairFrame: Promise<PairFrame> | undefined;
  /** Texts that go to the driver together, in the next microtask. */
  #waiting: Waiting[] = [];

  private constructor(driver: TokenizerDriver, reading: Omit<Reading, 'ids'>, probe: readonly number[], frame: Frame) {
    this.#driver = driver;
    this.#reading = { ...reading, ids: (text) => this.#ids(text) };
    this.#probe = probe;
    this.#frame = frame;
  }

  /**
   * @param boundaries where the tokenizer's texts may be cut; null for nowhere
   * @param limits other limits than usual, for tests
   * @throws Error when the tokenizer does more than put special tokens around a text
   */
  static async create(
    driver: TokenizerDriver,
    boundaries: Boundaries | null,
    limits: Partial<Omit<Reading, 'ids'>> = {},
  ): Promise<ModelTextEncoder> {
    const [probe] = await driver.ids([PROBE]);
    if (probe instanceof Error) throw probe;
    const { ids } = await driver.framed(PROBE);
    const start = placeOf(probe!, ids, 0);
    if (probe!.length === 0 || start < 0) throw new Error('the tokenizer changes a text when it adds special tokens');
    const frame = { before: ids.slice(0, start), after: ids.slice(start + probe!.length) };
    const reading = { boundaries, wholeBytes: driver.wholeBytes, firstChars: FIRST_CHARS, ...limits };
    return new ModelTextEncoder(driver, reading, probe!, frame);
  }

  /** @throws TextTooComplexError; Error for a pair whose first text leaves no room for the second */
  async encode([text, pair]: ModelTexts, options: EncodeOptions): Promise<Encoded> {
    const whole = options.prompt + text.toWellFormed();
    if (pair !== undefined) return this.#encodePair(whole, pair.toWellFormed(), options);
    const { maxTokens, prompt, truncate } = options;
    const { before, after } = this.#frame;
    const promptIds = prompt === '' ? [] : await this.#promptIds(prompt);
    const first = await firstIds(this.#reading, whole, Math.max(promptIds.length, maxTokens));
    // If prompt and text share a token, the prompt's last ids differ.
    const kept = sharedStart(promptIds, first.ids);
    const head = [...before, ...first.ids.slice(0, kept)];
    const parts = first.complete || truncate === 'end' ? [first] : [first, await this.#lastIds(whole, maxTokens)];
    const ids = truncateIds({ head, text: [first.ids.slice(kept), lastOf(parts)], tail: after }, maxTokens, truncate);
    return {
      ids,
      types: null,
      ...lengthOf(before.length + after.length, parts, ids.length),
      ...(prompt === '' ? {} : { promptTokens: this.#lengthAlone(promptIds.length, maxTokens) }),
    };
  }

  /** Tokens of a prompt as if it were a text by itself, without the last special token. */
  #lengthAlone(promptIds: number, maxTokens: number): number {
    const { before, after } = this.#frame;
    const whole = Math.min(maxTokens, before.length + promptIds + after.length);
    return after.length === 0 ? whole : whole - 1;
  }

  async #encodePair(text: string, pair: string, { maxTokens, truncate }: EncodeOptions): Promise<Encoded> {
    const { after, before, between, types } = await (this.#pairFrame ??= this.#probePair());
    const first = await firstIds(this.#reading, text, maxTokens);
    const head = [...before, ...first.ids, ...between];
    if (head.length + after.length >= maxTokens) {
      const count = `${first.complete ? '' : 'more than '}${first.complete ? first.ids.length : maxTokens}`;
      throw new Error(`the first text of the pair has ${count} tokens, which leaves the second no room`);
    }
    const second = await firstIds(this.#reading, pair, maxTokens);
    const parts = second.complete || truncate === 'end' ? [second] : [second, await this.#lastIds(pair, maxTokens)];
    const ids = truncateIds({ head, text: [second.ids, lastOf(parts)], tail: after }, maxTokens, truncate);
    const segments = new Int32Array(ids.length);
    const lengths = [
      before.length,
      first.ids.length,
      between.length,
      ids.length - head.length - after.length,
      after.length,
    ];
    let at = 0;
    for (const [part, size] of lengths.entries()) segments.fill(types[part]!, at, (at += size));
    return { ids, types: segments, ...lengthOf(head.length + after.length, parts, ids.length) };
  }

  async #probePair(): Promise<PairFrame> {
    const { ids, types }: Framed = await this.#driver.framed(PROBE, PROBE);
    const { length } = this.#probe;
    const first = placeOf(this.#probe, ids, 0);
    const second = placeOf(this.#probe, ids, first + length);
    if (first < 0 || second < 0)
      throw new Error('the tokenizer changes the texts of a pair when it adds special tokens');
    const [endOfFirst, endOfSecond] = [first + length, second + length];
    const typeAt = (index: number) => types[index] ?? 0;
    return {
      before: ids.slice(0, first),
      between: ids.slice(endOfFirst, second),
      after: ids.slice(endOfSecond),
      types: [typeAt(0), typeAt(first), typeAt(endOfFirst), typeAt(second), typeAt(endOfSecond)],
    };
  }

  #lastIds(text: string, needed: number): Promise<BoundedIds> {
    return lastIds(this.#reading, text, needed);
  }

  #promptIds(prompt: string): Promise<readonly number[]> {
    let ids = this.#prompts.get(prompt);
    if (ids === undefined) {
      ids = this.#ids(prompt);
      this.#prompts.set(prompt, ids);
      ids.catch(() => this.#prompts.delete(prompt));
    }
    return ids;
  }

  /** Texts that are asked for at the same time go to the driver as one batch. */
  #ids(text: string): Promise<readonly number[]> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ text, resolve, reject }) === 1) queueMicrotask(() => void this.#flush());
    });
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    const fail = (error: unknown) => (error instanceof Error ? error : new Error(String(error)));
    try {
      const found = await this.#driver.ids(batch.map(({ text }) => text));
      for (const [n, { reject, resolve }] of batch.entries()) {
        const ids = found[n]!;
        if (ids instanceof Error) reject(ids);
        else resolve(ids);
      }
    } catch (error) {
      for (const { reject } of batch) reject(fail(error));
    }
  }
}

function lastOf(parts: readonly BoundedIds[]): readonly number[] | null {
  return parts[1]?.ids ?? null;
}

/** @param parts the start of a text, and its end if it was tokenised by itself */
function lengthOf(
  around: number,
  [first]: readonly BoundedIds[],
  kept: number,
): Pick<Encoded, 'length' | 'lengthIsLowerBound' | 'truncated'> {
  const length = around + first!.ids.length;
  return { length, ...(first!.complete ? {} : { lengthIsLowerBound: true }), truncated: length > kept };
}

function sharedStart(prompt: readonly number[], whole: readonly number[]): number {
  let shared = 0;
  while (shared < prompt.length && prompt[shared] === whole[shared]) shared++;
  return shared;
}

/** Index of the first `part` in `whole` from `from` on; -1 when there is none. */
function placeOf(part: readonly number[], whole: readonly number[], from: number): number {
  return whole.findIndex((_, at) => at >= from && part.every((id, n) => whole[at + n] === id));
}
