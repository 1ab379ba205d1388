import { type Part, partsOf, type TokenizerDefinition } from './definition.js';

/**
 * Where a text may be cut so that the ids of both parts, one after the other, are those of the whole text. A boundary
 * lies between two characters, and only these and the next one decide on it:
 *
 * - before one separator between two letters or digits: `x y`;
 * - between two Chinese characters, where the tokenizer makes each of them a word;
 * - between a Chinese character and a Chinese punctuation mark, where letters and marks are never of one word.
 *
 * What is proven for a tokenizer follows from its parts. Every part is either known to work on each side of such a
 * boundary as on the whole, or nothing is proven.
 */
export interface Boundaries {
  /** Characters that separate words. */
  readonly separators: string;
  readonly betweenHan: boolean;
  readonly beforeHanMarks: boolean;
  /** Whether the part after a cut begins with its separator; otherwise the separator is left out. */
  readonly keepsSeparator: boolean;
}

type Proof = Omit<Boundaries, 'keepsSeparator'>;

/** The boundaries of a tokenizer; null when none are proven. */
export function boundariesOf(definition: TokenizerDefinition): Boundaries | null {
  const normalizers = partsOf(definition.normalizer);
  const addedTokens = definition.added_tokens ?? [];
  if (!normalizers.every(isLocal) || !addedTokens.every(keepsApart)) return null;
  const found = proofOf(definition, normalizers, partsOf(definition.pre_tokenizer));
  if (found === null) return null;
  const proof = addedTokens.some(({ content }) => /[一-龥]/.test(content)) ? { ...found, ...ONLY_SPACES } : found;
  // These prepend to a text, or strip it, and would do so to the second part.
  const first = normalizers.some(({ type }) => type === 'Prepend' || type === 'Strip');
  return { ...proof, keepsSeparator: !first };
}

function proofOf(definition: TokenizerDefinition, normalizers: readonly Part[], words: readonly Part[]): Proof | null {
  const types = words.map(({ type }) => type);
  const only = (...known: string[]) => types.every((type) => known.includes(type));
  if (normalizers.some(replacesSpace)) {
    const proven = definition.model.type === 'BPE' && words.every(isNoSplit) && normalizers.some(isMetaspace);
    return proven && neverMergesBeforeSpace(definition.model) ? { ...ONLY_SPACES, separators: ' ' } : null;
  }
  if (SPLITTING_AT_SPACE.includes(types[0] ?? '')) {
    if (!only(...SPLITTING_AT_SPACE, 'Punctuation', 'Digits', 'Metaspace')) return null;
    const betweenHan = normalizers.some((one) => one.type === 'BertNormalizer' && one['handle_chinese_chars'] === true);
    return { ...ONLY_SPACES, separators: ' \n\t\u3000', betweenHan };
  }
  if (types.includes('Metaspace')) {
    if (!only('Metaspace', 'Punctuation', 'Digits')) return null;
    const splits = words.every((one) => one.type !== 'Metaspace' || one['split'] !== false);
    return splits ? { ...ONLY_SPACES, separators: ' ' } : null;
  }
  return types.includes('ByteLevel') ? byteLevelProof(normalizers, words) : null;
}

const ONLY_SPACES = { betweenHan: false, beforeHanMarks: false };

/** Each of these makes a boundary of white space between letters. */
const SPLITTING_AT_SPACE: readonly string[] = ['BertPreTokenizer', 'Whitespace', 'WhitespaceSplit'];

/**
 * Normalizers that treat each character by itself or together with the marks after it: a letter, a separator and the
 * letter after it do not influence each other.
 */
const LOCAL: readonly string[] = [
  ...['BertNormalizer', 'NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents', 'Nmt', 'Precompiled'],
  ...['Prepend', 'Strip'],
];

function isLocal(normalizer: Part): boolean {
  if (LOCAL.includes(normalizer.type)) return true;
  if (normalizer.type !== 'Replace') return false;
  const { Regex: regex, String: string } = normalizer['pattern'] as { Regex?: string; String?: string };
  if (regex !== undefined) return regex === ' {2,}';
  return string !== undefined && (string === ' ' || !/[\p{L}\p{N}\s]/u.test(string));
}

/** An added token does not reach over a boundary if no white space follows a letter in it, nor is taken after it. */
function keepsApart({ content, rstrip }: { content: string; rstrip?: boolean }): boolean {
  if (/[^\s▁][\s▁]/.test(content)) return false;
  return rstrip !== true || !/[\p{L}\p{N}]$/u.test(content);
}

/** `Ġ` and the like: GPT-2's pattern, which is built into `ByteLevel`, and those of Llama 3 and Qwen. */
const KNOWN_PATTERNS: readonly string[] = [
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  ...['\\p{N}', '\\p{N}{1,3}'].map(
    (digits) =>
      `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|` +
      '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
  ),
];

/** In the known patterns, a word ends after a letter or digit that is followed by white space or a mark. */
function byteLevelProof(normalizers: readonly Part[], words: readonly Part[]): Proof | null {
  const splits = words.filter(({ type }) => type !== 'ByteLevel');
  const known = splits.every((one) => {
    const pattern = (one['pattern'] as { Regex?: string } | undefined)?.Regex;
    if (one.type === 'Digits') return true;
    return one.type === 'Split' && one['invert'] !== true && one['behavior'] === 'Isolated' && isKnown(pattern);
  });
  const byteLevels = words.filter(({ type }) => type === 'ByteLevel');
  const splitsWords =
    splits.some(({ type }) => type === 'Split') || byteLevels.some((one) => one['use_regex'] !== false);
  if (!known || !splitsWords) return null;
  // A prefix space would be added to a second part without one.
  const prefixed = byteLevels.some((one) => one['add_prefix_space'] !== false);
  // A letter that becomes a letter and a mark is no letter at its end, and a line end may join a mark.
  const decomposed = normalizers.some(({ type }) => type !== 'NFC' && type !== 'NFKC');
  return {
    separators: prefixed || decomposed ? ' ' : ' \n',
    betweenHan: false,
    beforeHanMarks: !prefixed && !decomposed,
  };
}

function isKnown(pattern: string | undefined): boolean {
  return pattern !== undefined && KNOWN_PATTERNS.includes(pattern);
}

/** The pre-tokenizer of Gemma splits at spaces, of which its normalizer leaves none. */
function isNoSplit(part: Part): boolean {
  return part.type === 'Split' && (part['pattern'] as { String?: string }).String === ' ';
}

function replacesSpace(part: Part): boolean {
  return part.type === 'Replace' && (part['pattern'] as { String?: string }).String === ' ';
}

function isMetaspace(part: Part): boolean {
  return replacesSpace(part) && part['content'] === '▁';
}

/** Merging two tokens gives a token of the vocabulary: if none has `▁` after another character, none reaches over it. */
function neverMergesBeforeSpace({ dropout, vocab }: Part): boolean {
  const tokens = Object.keys(vocab as Record<string, number>);
  const noDropout = dropout === null || dropout === undefined || dropout === 0;
  return noDropout && tokens.includes('▁') && !tokens.some((token) => /[^▁]▁/.test(token));
}

/** Letters and digits of long standing, none of which joins its neighbours to a grapheme. */
const LETTERS = new RegExp(
  '^[0-9A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u0131\u0134-\u013e\u0141-\u0148\u014a-\u017e' +
    '\u0391-\u03a1\u03a3-\u03c9\u0400-\u045f\u05d0-\u05ea\u0621-\u063a\u0641-\u064a\u0905-\u0939\u0e01-\u0e30' +
    '\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fa5\uac00-\ud7a3]$',
);
const HAN = /^[\u4e00-\u9fa5]$/;
const HAN_MARK = /^[、。，！？；：]$/;

/** Whether the text may be cut before the character at `at`. */
export function isBoundary(boundaries: Boundaries, text: string, at: number): boolean {
  const [before, here] = [text[at - 1] ?? '', text[at] ?? ''];
  if (boundaries.separators.includes(here) && here !== '') {
    return LETTERS.test(before) && LETTERS.test(text[at + 1] ?? '');
  }
  if (!HAN.test(before)) return false;
  return (boundaries.betweenHan && HAN.test(here)) || (boundaries.beforeHanMarks && HAN_MARK.test(here));
}

/** Where the second part begins if a text is cut at a boundary. */
export function startOfRest(boundaries: Boundaries, text: string, at: number): number {
  const leftOut = !boundaries.keepsSeparator && boundaries.separators.includes(text[at] ?? 'none');
  return leftOut ? at + 1 : at;
}

/** The last boundary before `end`; 0 when there is none. */
export function lastBoundary(boundaries: Boundaries, text: string, end: number): number {
  for (let at = end - 1; at > 0; at--) if (isBoundary(boundaries, text, at)) return at;
  return 0;
}

/** The first boundary from `start` on; the text's length when there is none. */
export function firstBoundary(boundaries: Boundaries, text: string, start: number): number {
  for (let at = Math.max(1, start); at < text.length; at++) if (isBoundary(boundaries, text, at)) return at;
  return text.length;
}
