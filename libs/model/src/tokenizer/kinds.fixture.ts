import type { Part, TokenizerDefinition } from './definition.js';

/** Small tokenizers of the kinds in use, with vocabularies that leave some characters unknown. */
const LETTERS = [...'abcdefghijklmnopqrstuvwxyzABCXYZ0123456789éüждкñ你好世界中文ا한글カタ'];
const SIGNS = [...'.,;:!?\'"()[]-_/、。，！？'];
const PIECES = ['the', 'fox', 'th', 'he', 'qu', 'ick', 'ing', 'er', 'ab', 'bc', '12', '你好', '世界', 'да'];

const special = (id: string, type_id = 0) => ({ SpecialToken: { id, type_id } });
const sequence = (id: 'A' | 'B') => ({ Sequence: { id, type_id: 0 } });

function template(first: string, firstId: number, last: string, lastId: number): object {
  const tokens = { [first]: firstId, [last]: lastId };
  return {
    type: 'TemplateProcessing',
    single: [special(first), sequence('A'), special(last)],
    pair: [special(first), sequence('A'), special(last), sequence('B'), special(last)],
    special_tokens: Object.fromEntries(
      Object.entries(tokens).map(([id, number]) => [id, { id, ids: [number], tokens: [id] }]),
    ),
  };
}

const added = (content: string, id: number, more: object = {}) => ({
  ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
  ...more,
});

function definition(parts: Omit<TokenizerDefinition, 'model'> & { model: Part }): TokenizerDefinition {
  return { version: '1.0', truncation: null, padding: null, decoder: null, ...parts };
}

const ids = (tokens: readonly string[]) => Object.fromEntries([...new Set(tokens)].map((token, id) => [token, id]));

const WORD_PIECES = ids([
  ...['[UNK]', '[CLS]', '[SEP]', '[MASK]', ...LETTERS, ...SIGNS, ...PIECES],
  ...[...LETTERS, ...PIECES].map((piece) => `##${piece}`),
]);

function wordPiece(normalizer: Part, preTokenizer: Part): TokenizerDefinition {
  return definition({
    normalizer,
    pre_tokenizer: preTokenizer,
    post_processor: template('[CLS]', 1, '[SEP]', 2),
    added_tokens: ['[UNK]', '[CLS]', '[SEP]', '[MASK]'].map((token, id) =>
      added(token, id, token === '[MASK]' ? { lstrip: true } : {}),
    ),
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: WORD_PIECES,
    },
  });
}

const bertNormalizer = (lowercase: boolean): Part => ({
  ...{ type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true },
  ...{ strip_accents: null, lowercase },
});

function unigram(normalizer: Part, preTokenizer: Part): TokenizerDefinition {
  const vocab: [string, number][] = [
    ...['<s>', '</s>', '<unk>'].map((token): [string, number] => [token, 0]),
    ['▁', -3],
    ...[...LETTERS, ...SIGNS].map((one): [string, number] => [one, -6]),
    ...PIECES.flatMap((piece): [string, number][] => [
      [piece, -4.5],
      [`▁${piece}`, -4],
    ]),
  ];
  return definition({
    normalizer,
    pre_tokenizer: preTokenizer,
    post_processor: template('<s>', 0, '</s>', 1),
    added_tokens: [
      ...['<s>', '</s>', '<unk>'].map((token, id) => added(token, id)),
      added('<mask>', vocab.length, { lstrip: true }),
    ],
    model: { type: 'Unigram', unk_id: 2, vocab, byte_fallback: false },
  });
}

/**
 * A `Precompiled` normalizer: a table of replacements in the format of SentencePiece. It is a double array, here with one
 * block of 256 units for each node of the trie: unit = label, leaf flag, and offset from the unit to its node's block.
 */
function precompiled(table: Readonly<Record<string, string>>): Part {
  const units: number[] = Array.from({ length: 256 }, () => 0);
  const blockAfter = new Map<string, number>();
  const newBlock = (): number => units.push(...Array.from({ length: 256 }, () => 0)) - 256;
  const root = newBlock();
  units[0] = root << 10;
  let replacements = '';
  for (const [from, to] of Object.entries(table)) {
    const bytes = [...Buffer.from(from)];
    let block = root;
    let unit = 0;
    for (const [n, byte] of bytes.entries()) {
      const path = bytes.slice(0, n + 1).join(' ');
      unit = block + byte;
      block = blockAfter.get(path) ?? newBlock();
      blockAfter.set(path, block);
      units[unit] = (units[unit]! & 0x100) | byte | ((unit ^ block) << 10);
    }
    units[unit]! |= 0x100;
    units[block] = Buffer.byteLength(replacements) | 0x80000000;
    replacements += `${to}\0`;
  }
  const trie = Buffer.from(Uint32Array.from(units).buffer);
  const size = Buffer.from(Uint32Array.of(trie.length).buffer);
  return {
    type: 'Precompiled',
    precompiled_charsmap: Buffer.concat([size, trie, Buffer.from(replacements)]).toString('base64'),
  };
}

const CHARSMAP = precompiled({
  ...{ '\n': ' ', '\t': ' ', '\r': ' ', '\u3000': ' ', '\u00a0': ' ', 'e\u0301': 'é', 'ﬁ': 'fi', 'İ': 'i' },
  ...{ '①': '1', 'カ゚': 'カ', '，': ',', '！': '!', '\u200d': ' ', '…': '...' },
});

const METASPACE = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };

/** Pairs of tokens that are merged, and the vocabulary with what they give. */
function bpe(alphabet: readonly string[], words: readonly string[], more: object): Part {
  const merges: string[] = [];
  const tokens = [...alphabet];
  for (const word of words) {
    const [start = '', ...rest] = word;
    let merged = start;
    for (const next of rest) {
      merges.push(`${merged} ${next}`);
      tokens.push((merged += next));
    }
  }
  const vocab = ids(['<s>', '</s>', '<unk>', ...tokens]);
  return {
    ...{ type: 'BPE', dropout: null, unk_token: null, fuse_unk: false },
    vocab,
    merges: [...new Set(merges)],
    ...more,
  };
}

/** The characters that stand for bytes in `ByteLevel`. */
function byteAlphabet(): string[] {
  const plain = (code: number) => (code >= 33 && code <= 126) || (code >= 161 && code <= 172) || code >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, code) => String.fromCodePoint(plain(code) ? code : next++));
}

function byteLevel(preTokenizer: Part, normalizer: Part | null = null): TokenizerDefinition {
  const words = ['the', 'Ġthe', 'Ġfox', 'Ġqu', 'ing', 'er', '12', 'Ġ1', 'Ċa', "'s", 'Ġ.', '..'];
  return definition({
    normalizer,
    pre_tokenizer: preTokenizer,
    post_processor: template('<s>', 0, '</s>', 1),
    added_tokens: ['<s>', '</s>', '<unk>'].map((token, id) => added(token, id)),
    model: bpe(byteAlphabet(), words, {}),
  });
}

const byteParts = (prefix: boolean, regex: boolean): Part => ({
  ...{ type: 'ByteLevel', add_prefix_space: prefix, trim_offsets: true, use_regex: regex },
});

const splitBy = (digits: string): Part => ({
  type: 'Sequence',
  pretokenizers: [
    {
      type: 'Split',
      pattern: {
        Regex:
          `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|` +
          '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
      },
      behavior: 'Isolated',
      invert: false,
    },
    byteParts(false, false),
  ],
});

/** BPE without pre-tokenizer, as of Gemma and Llama 2. */
function spacesByNormalizer(prepend: boolean): TokenizerDefinition {
  const replace: Part = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
  const normalizer = prepend
    ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, replace] }
    : replace;
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const words = ['▁the', '▁fox', 'the', 'he', 'ing', '▁▁', '▁▁▁', '12', '你好'];
  return definition({
    normalizer,
    pre_tokenizer: prepend
      ? null
      : { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false },
    post_processor: template('<s>', 0, '</s>', 1),
    added_tokens: ['<s>', '</s>', '<unk>'].map((token, id) => added(token, id)),
    model: bpe([...bytes, '▁', ...LETTERS], words, { unk_token: '<unk>', fuse_unk: true, byte_fallback: true }),
  });
}

export const KINDS: Readonly<Record<string, TokenizerDefinition>> = {
  'BERT, lower case': wordPiece(bertNormalizer(true), { type: 'BertPreTokenizer' }),
  'BERT, cased': wordPiece(bertNormalizer(false), { type: 'BertPreTokenizer' }),
  'words by Whitespace': wordPiece({ type: 'NFC' }, { type: 'Whitespace' }),
  'Unigram, NFKC, Metaspace': unigram({ type: 'NFKC' }, METASPACE),
  'Unigram, Nmt and spaces, WhitespaceSplit': unigram(
    {
      type: 'Sequence',
      normalizers: [{ type: 'Nmt' }, { type: 'NFKC' }, { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' }],
    },
    { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, METASPACE] },
  ),
  'Unigram, precompiled table': unigram(CHARSMAP, METASPACE),
  'Unigram, first Metaspace only': unigram({ type: 'NFKC' }, { ...METASPACE, prepend_scheme: 'first' }),
  'byte-level BPE of GPT-2': byteLevel(byteParts(false, true)),
  'byte-level BPE with a prefix space': byteLevel(byteParts(true, true)),
  'byte-level BPE, NFC': byteLevel(byteParts(false, true), { type: 'NFC' }),
  'byte-level BPE, NFD and lower case': byteLevel(byteParts(false, true), {
    type: 'Sequence',
    normalizers: [{ type: 'NFD' }, { type: 'Lowercase' }],
  }),
  'byte-level BPE of Qwen': byteLevel(splitBy('\\p{N}'), { type: 'NFC' }),
  'byte-level BPE of Llama 3': byteLevel(splitBy('\\p{N}{1,3}')),
  'BPE of Gemma': spacesByNormalizer(false),
  'BPE of Llama 2': spacesByNormalizer(true),
};
