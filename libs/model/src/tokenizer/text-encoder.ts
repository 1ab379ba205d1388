import type { ModelTexts } from '#contracts';
import { type BoundedTokens, FIRST_CHARS, firstTokens, lastTokens, type Reading } from './bounded-tokens.js';
import type { Boundaries } from './boundaries.js';
import type { Framed, TokenizerDriver } from './drivers/driver.js';
import { type Encoded, type EncodeOptions, PromptTooLongError } from './tokenizer.js';
import { idsOf, moved, offsetsOf, ofNoText, slice, type Tokens } from './tokens.js';
import { truncateSequence } from './truncate-sequence.js';

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
  readonly ranges: boolean;
  resolve(tokens: Tokens): void;
  reject(error: Error): void;
}

const PROBE = 'a';

/** Encodes inputs with a model's own tokenizer, tokenising no more of a text than what is kept takes. */
export class ModelTextEncoder {
  readonly #driver: TokenizerDriver;
  readonly #reading: Reading;
  readonly #readingRanges: Reading;
  readonly #probe: readonly number[];
  readonly #frame: Frame;
  readonly #prompts = new Map<string, Promise<readonly number[]>>();
  #pairFrame: Promise<PairFrame> | undefined;
  /** Texts that go to the driver together, in the next microtask. */
  #waiting: Waiting[] = [];

  private constructor(
    driver: TokenizerDriver,
    reading: Omit<Reading, 'tokens'>,
    probe: readonly number[],
    frame: Frame,
  ) {
    this.#driver = driver;
    this.#reading = { ...reading, tokens: (text) => this.#tokens(text, false) };
    this.#readingRanges = { ...reading, tokens: (text) => this.#tokens(text, true) };
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
    limits: Partial<Omit<Reading, 'tokens'>> = {},
  ): Promise<ModelTextEncoder> {
    const [tokens] = await driver.tokens([PROBE], false);
    if (tokens instanceof Error) throw tokens;
    const { ids: probe } = tokens!;
    const { ids } = await driver.framed(PROBE);
    const start = placeOf(probe, ids, 0);
    if (probe.length === 0 || start < 0) throw new Error('the tokenizer changes a text when it adds special tokens');
    const frame = { before: ids.slice(0, start), after: ids.slice(start + probe.length) };
    const reading = { boundaries, wholeBytes: driver.wholeBytes, firstChars: FIRST_CHARS, ...limits };
    return new ModelTextEncoder(driver, reading, probe, frame);
  }

  /** @throws TextTooComplexError; PromptTooLongError; Error for a pair whose first text leaves no room for the second */
  async encode([text, pair]: ModelTexts, options: EncodeOptions): Promise<Encoded> {
    const whole = options.prompt + text.toWellFormed();
    const reading = options.offsets === true ? this.#readingRanges : this.#reading;
    const { maxTokens, prompt, truncate } = options;
    const { before, after } = this.#frame;
    const promptIds = prompt === '' ? [] : await this.#promptIds(prompt);
    if (prompt !== '') requireRoom(before.length + promptIds.length + after.length, maxTokens);
    if (pair !== undefined) return this.#encodePair(reading, whole, pair.toWellFormed(), options);
    const first = await firstTokens(reading, whole, Math.max(promptIds.length, maxTokens));
    const last = await lastIfNeeded(reading, whole, first, options);
    // If prompt and text share a token, the prompt's last ids differ.
    const shared = sharedStart(promptIds, first.ids);
    const [start, end] = [moved(first, -prompt.length), last === null ? null : moved(last, -prompt.length)];
    const head = [ofNoText(before), slice(start, 0, shared)];
    const sequence = { head, text: [slice(start, shared), end], tail: ofNoText(after) } as const;
    const parts = truncateSequence(sequence, maxTokens, truncate);
    const found = encoded(parts, null, before.length + after.length, first, options);
    return prompt === '' ? found : { ...found, promptTokens: this.#lengthAlone(promptIds.length) };
  }

  /** Tokens of a prompt as if it were a text by itself, without the last special token. */
  #lengthAlone(promptIds: number): number {
    const { before, after } = this.#frame;
    const whole = before.length + promptIds + after.length;
    return after.length === 0 ? whole : whole - 1;
  }

  async #encodePair(reading: Reading, text: string, pair: string, options: EncodeOptions): Promise<Encoded> {
    const { maxTokens, prompt, truncate } = options;
    const { after, before, between, types } = await (this.#pairFrame ??= this.#probePair());
    const first = await firstTokens(reading, text, maxTokens);
    const around = before.length + first.ids.length + between.length + after.length;
    if (around >= maxTokens) {
      const count = `${first.complete ? '' : 'more than '}${first.complete ? first.ids.length : maxTokens}`;
      throw new Error(`the first text of the pair has ${count} tokens, which leaves the second no room`);
    }
    const second = await firstTokens(reading, pair, maxTokens);
    const last = await lastIfNeeded(reading, pair, second, options);
    const head = [ofNoText(before), moved(first, -prompt.length), ofNoText(between)];
    const sequence = { head, text: [second, last], tail: ofNoText(after) } as const;
    const parts = truncateSequence(sequence, maxTokens, truncate);
    return encoded(parts, types, around, second, options);
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

  #promptIds(prompt: string): Promise<readonly number[]> {
    let ids = this.#prompts.get(prompt);
    if (ids === undefined) {
      ids = this.#tokens(prompt, false).then((tokens) => tokens.ids);
      this.#prompts.set(prompt, ids);
      ids.catch(() => this.#prompts.delete(prompt));
    }
    return ids;
  }

  /** Texts that are asked for at the same time go to the driver as one batch. */
  #tokens(text: string, ranges: boolean): Promise<Tokens> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ text, ranges, resolve, reject }) === 1) queueMicrotask(() => this.#flush());
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const ranges of [false, true]) {
      const batch = waiting.filter((one) => one.ranges === ranges);
      if (batch.length > 0) void this.#answer(batch, ranges);
    }
  }

  async #answer(batch: readonly Waiting[], ranges: boolean): Promise<void> {
    const fail = (error: unknown) => (error instanceof Error ? error : new Error(String(error)));
    try {
      const texts = batch.map(({ text }) => text);
      const found = await this.#driver.tokens(texts, ranges);
      for (const [n, { reject, resolve }] of batch.entries()) {
        const tokens = found[n]!;
        if (tokens instanceof Error) reject(tokens);
        else resolve(tokens);
      }
    } catch (error) {
      for (const { reject } of batch) reject(fail(error));
    }
  }
}

/** @param tokens of the prompt by itself, special tokens included */
function requireRoom(tokens: number, maxTokens: number): void {
  if (tokens < maxTokens) return;
  throw new PromptTooLongError(
    `its prompt has ${tokens} tokens with the special tokens, which leaves a text no room: the model takes ${maxTokens}`,
  );
}

/** The last tokens of a text of which `first` are the first ones; null where those are enough. */
function lastIfNeeded(
  reading: Reading,
  text: string,
  first: BoundedTokens,
  { maxTokens, truncate }: EncodeOptions,
): Promise<BoundedTokens> | null {
  return first.complete || truncate === 'end' ? null : lastTokens(reading, text, maxTokens);
}

/**
 * @param parts what is kept
 * @param types the segment of each part; null: there are none
 * @param around number of the tokens that are never cut
 * @param text those that may be, all of them or the first ones
 */
function encoded(
  parts: readonly Tokens[],
  types: readonly number[] | null,
  around: number,
  text: BoundedTokens,
  { offsets }: EncodeOptions,
): Encoded {
  const ids = Int32Array.from(idsOf(parts));
  const length = around + text.ids.length;
  return {
    ids,
    types: types === null ? null : Int32Array.from(parts.flatMap((part, n) => part.ids.map(() => types[n]!))),
    ...(offsets === true ? { offsets: Int32Array.from(offsetsOf(parts)) } : {}),
    length,
    ...(text.complete ? {} : { lengthIsLowerBound: true }),
    truncated: length > ids.length,
  };
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
