import { type Boundaries, firstBoundary, lastBoundary, startOfRest } from './boundaries.js';
import { TextTooComplexError } from './tokenizer.js';
import { moved, ofNoText, type Tokens } from './tokens.js';

/** Characters that are tokenised at first; more follow if they do not suffice. At least as many for each token needed. */
export const FIRST_CHARS = 4096;
const CHARS_PER_TOKEN = 8;
/** Added to a driver's limit for each token that is needed, UTF-8 bytes. */
const BYTES_PER_TOKEN = 64;

export interface BoundedTokens extends Tokens {
  /** Whether these are all tokens of the text. */
  readonly complete: boolean;
}

const NONE = ofNoText([]);

export interface Reading {
  readonly boundaries: Boundaries | null;
  /** Maximum size of a text that is tokenised as a whole, UTF-8 bytes. */
  readonly wholeBytes: number;
  /** Characters that are tokenised at first: shorter texts are not cut. */
  readonly firstChars: number;
  readonly tokens: (text: string) => Promise<Tokens>;
}

/**
 * The first tokens of a text, more than `needed`, or all of them. Only as much of the text is tokenised as that takes.
 * @throws TextTooComplexError when that is more than `wholeBytes` and 64 bytes for each needed token
 */
export async function firstTokens(reading: Reading, text: string, needed: number): Promise<BoundedTokens> {
  const { boundaries } = reading;
  if (boundaries !== null) {
    for (let chars = charsAtFirst(reading, needed); chars < text.length; chars *= 2) {
      const part = text.slice(0, lastBoundary(boundaries, text, chars));
      const tokens = part === '' ? NONE : await reading.tokens(limited(reading, part, needed));
      if (tokens.ids.length > needed) return { ...tokens, complete: false };
      if (part === '') limited(reading, text.slice(0, chars), needed);
    }
  }
  return { ...(await reading.tokens(limited(reading, text, needed))), complete: true };
}

/**
 * The last tokens of a text, more than `needed`, or all of them. The first of them is not among the needed ones: its range
 * may lack the separator before it.
 * @throws TextTooComplexError as `firstTokens`
 */
export async function lastTokens(reading: Reading, text: string, needed: number): Promise<BoundedTokens> {
  const { boundaries } = reading;
  if (boundaries !== null) {
    for (let chars = charsAtFirst(reading, needed); chars < text.length; chars *= 2) {
      const at = firstBoundary(boundaries, text, text.length - chars);
      const start = startOfRest(boundaries, text, at);
      const part = text.slice(start);
      const tokens = part === '' ? NONE : await reading.tokens(limited(reading, part, needed));
      if (tokens.ids.length > needed) return { ...moved(tokens, start), complete: false };
      if (part === '') limited(reading, text.slice(-chars), needed);
    }
  }
  return { ...(await reading.tokens(limited(reading, text, needed))), complete: true };
}

function charsAtFirst({ firstChars }: Reading, needed: number): number {
  return Math.max(firstChars, CHARS_PER_TOKEN * (needed + 1));
}

function limited({ wholeBytes }: Reading, text: string, needed: number): string {
  const limit = wholeBytes + BYTES_PER_TOKEN * needed;
  // At most three bytes a character.
  if (text.length * 3 <= limit || Buffer.byteLength(text) <= limit) return text;
  throw new TextTooComplexError(
    `more than ${limit} bytes of it would have to be tokenised at once, because it has too few places at which it can be ` +
      'cut, such as single spaces between words; send it in parts',
  );
}
