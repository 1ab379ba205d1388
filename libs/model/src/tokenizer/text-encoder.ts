import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import type { ModelTexts } from '#contracts';
import type { TokenizerFiles } from '../types.js';
import type { Encoded, EncodeOptions } from './tokenizer.js';
import { truncateIds } from './truncate-ids.js';

/**
 * Maximum characters to encode at once. The tokenizer's time grows faster than a text's length, so long texts are
 * encoded in pieces, cut at white space if there is any. A token that crosses a cut becomes two.
 */
const PIECE_CHARS = 10_000;

/** Special tokens that the post-processor adds around the two texts of a pair, and the segments of all parts. */
interface PairFrame {
  readonly before: readonly number[];
  readonly between: readonly number[];
  readonly after: readonly number[];
  /** Segment of: before, first text, between, second text, after. */
  readonly types: readonly [number, number, number, number, number];
}

const PROBE = 'a';

/** Encodes inputs with a model's own tokenizer. The padding and truncation settings of `tokenizer.json` are ignored. */
export class ModelTextEncoder {
  readonly #tokenizer: HuggingFaceTokenizer;
  /** Special tokens that the post-processor adds before and after a text. */
  readonly #before: readonly number[];
  readonly #after: readonly number[];
  readonly #prompts = new Map<string, readonly number[]>();
  #pairFrame: PairFrame | undefined;

  constructor(files: TokenizerFiles) {
    this.#tokenizer = new HuggingFaceTokenizer(files.tokenizer, files.config ?? {});
    const bare = this.#ids(PROBE, false);
    const full = this.#ids(PROBE, true);
    const start = placeOf(bare, full, 0);
    if (bare.length === 0 || start < 0) throw new Error('the tokenizer changes a text when it adds special tokens');
    this.#before = full.slice(0, start);
    this.#after = full.slice(start + bare.length);
  }

  /** @throws Error for a pair whose first text leaves no room for the second */
  encode([text, pair]: ModelTexts, options: EncodeOptions): Encoded {
    const whole = this.#textIds(options.prompt + text.toWellFormed());
    if (pair !== undefined) return this.#encodePair(whole, this.#textIds(pair.toWellFormed()), options);
    const { maxTokens, prompt, truncate } = options;
    const kept = prompt === '' ? 0 : this.#sharedWithPrompt(prompt, whole);
    const sequence = {
      head: [...this.#before, ...whole.slice(0, kept)],
      text: whole.slice(kept),
      tail: this.#after,
    };
    const ids = truncateIds(sequence, maxTokens, truncate);
    const length = this.#before.length + whole.length + this.#after.length;
    return { ids, types: null, length, truncated: length > ids.length };
  }

  #encodePair(first: readonly number[], second: readonly number[], { maxTokens, truncate }: EncodeOptions): Encoded {
    this.#pairFrame ??= this.#probePair();
    const { after, before, between, types } = this.#pairFrame;
    const head = [...before, ...first, ...between];
    if (head.length + after.length >= maxTokens) {
      throw new Error(`the first text of the pair has ${first.length} tokens, which leaves the second no room`);
    }
    const ids = truncateIds({ head, text: second, tail: after }, maxTokens, truncate);
    const segments = new Int32Array(ids.length);
    const lengths = [
      before.length,
      first.length,
      between.length,
      ids.length - head.length - after.length,
      after.length,
    ];
    let at = 0;
    for (const [part, size] of lengths.entries()) segments.fill(types[part]!, at, (at += size));
    const length = head.length + second.length + after.length;
    return { ids, types: segments, length, truncated: length > ids.length };
  }

  #probePair(): PairFrame {
    const bare = this.#ids(PROBE, false);
    const probe = this.#tokenizer.encode(PROBE, { text_pair: PROBE, return_token_type_ids: true });
    const { ids, token_type_ids: types } = probe;
    const first = placeOf(bare, ids, 0);
    const second = placeOf(bare, ids, first + bare.length);
    if (first < 0 || second < 0)
      throw new Error('the tokenizer changes the texts of a pair when it adds special tokens');
    const [endOfFirst, endOfSecond] = [first + bare.length, second + bare.length];
    const typeAt = (index: number) => types[index] ?? 0;
    return {
      before: ids.slice(0, first),
      between: ids.slice(endOfFirst, second),
      after: ids.slice(endOfSecond),
      types: [typeAt(0), typeAt(first), typeAt(endOfFirst), typeAt(second), typeAt(endOfSecond)],
    };
  }

  /**
   * Number of leading ids that belong to the prompt. If prompt and text share a token, the prompt's last ids differ.
   */
  #sharedWithPrompt(prompt: string, whole: readonly number[]): number {
    let ids = this.#prompts.get(prompt);
    if (ids === undefined) this.#prompts.set(prompt, (ids = this.#textIds(prompt)));
    let shared = 0;
    while (shared < ids.length && ids[shared] === whole[shared]) shared++;
    return shared;
  }

  #textIds(text: string): number[] {
    if (text.length <= PIECE_CHARS) return this.#ids(text, false);
    const ids: number[] = [];
    for (const piece of pieces(text)) for (const id of this.#ids(piece, false)) ids.push(id);
    return ids;
  }

  #ids(text: string, special: boolean): number[] {
    return this.#tokenizer.encode(text, { add_special_tokens: special }).ids;
  }
}

/** Index of the first `part` in `whole` from `from` on; -1 when there is none. */
function placeOf(part: readonly number[], whole: readonly number[], from: number): number {
  return whole.findIndex((_, at) => at >= from && part.every((id, n) => whole[at + n] === id));
}

function* pieces(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    let end = Math.min(start + PIECE_CHARS, text.length);
    if (end < text.length) {
      const gap = text.slice(start, end).search(/\s\S*$/);
      if (gap > 0) end = start + gap;
      // Never between the halves of a surrogate pair.
      else if (/[\uD800-\uDBFF]/.test(text[end - 1]!)) end--;
    }
    yield text.slice(start, end);
    start = end;
  }
}
