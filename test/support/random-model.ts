import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pooling } from '#contracts';

/** What a made-up model looks like; the defaults make one that is quick and well under 2 MB. */
export interface RandomModelOptions {
  readonly layers?: number;
  readonly hidden?: number;
  readonly heads?: number;
  /** Default `cls`. */
  readonly pooling?: Pooling;
  /** Default 64. */
  readonly maxTokens?: number;
  readonly normalize?: boolean;
  readonly prompts?: Readonly<Record<string, string>>;
  /** Other seeds give other weights. */
  readonly seed?: number;
  /**
   * Rows of the word embedding table. With one less than the vocabulary has, `POISON_TEXT` has a token without a row,
   * and ONNX Runtime refuses the batch it is in.
   */
  readonly embeddingRows?: number;
  /** `hidden_act` of config.json. */
  readonly activation?: string;
}

/** A text with the last token of the vocabulary. */
export const POISON_TEXT = 'this is poison';

const WORDS =
  'the a of and to in is text number query many first second third quick brown fox jumps over lazy dog'.split(' ');
const LETTERS = [...'abcdefghijklmnopqrstuvwxyz0123456789'];
const SIGNS = [...'.,;:!?\'"()[]{}<>/\\|+-*=_&%$#@^~`'];
const HAN = [...'你好世界中文数据学习模型'];
const SPECIALS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const BERT_VOCAB = [...SPECIALS, ...LETTERS, ...LETTERS.map((c) => `##${c}`), ...SIGNS, ...HAN, ...WORDS, 'poison'];
/** Tokens of the vocabulary of `makeBertModel`. */
export const BERT_VOCAB_SIZE = BERT_VOCAB.length;

/** Writes a BERT checkpoint with random weights into a folder: safetensors, tokenizer, sentence-transformers' files. */
export async function makeBertModel(folder: string, options: RandomModelOptions = {}): Promise<void> {
  await writeModel(folder, options, {
    modelType: 'bert',
    vocab: BERT_VOCAB.length,
    padTokenId: 0,
    extraPositions: 0,
    types: 2,
    tokenizer: {
      version: '1.0',
      truncation: { max_length: 8, strategy: 'LongestFirst', stride: 0 },
      padding: { strategy: { Fixed: 8 }, direction: 'Right', pad_id: 0, pad_type_id: 0, pad_token: '[PAD]' },
      added_tokens: SPECIALS.map((content, id) => addedToken(id, content)),
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: true,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: template('[CLS]', 2, '[SEP]', 3),
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab: Object.fromEntries(BERT_VOCAB.map((token, id) => [token, id])),
      },
    },
    tokenizerConfig: { tokenizer_class: 'BertTokenizer', do_lower_case: true, unk_token: '[UNK]', pad_token: '[PAD]' },
  });
}

const UNIGRAM_SPECIALS = ['<s>', '<pad>', '</s>', '<unk>'];
const UNIGRAM: readonly (readonly [string, number])[] = [
  ...UNIGRAM_SPECIALS.map((token) => [token, 0] as const),
  ['▁', -3],
  ...LETTERS.map((c) => [c, -6] as const),
  ...[...SIGNS, ...HAN].map((c) => [c, -7] as const),
  ...WORDS.filter((word) => word.length > 1).map((word) => [`▁${word}`, -4] as const),
  ...['ing', 'er', 'ed', 'th', 'on'].map((piece) => [piece, -5] as const),
];

/** The same for XLM-RoBERTa: Unigram tokenizer, positions counted from after the padding id. */
export async function makeXlmRobertaModel(folder: string, options: RandomModelOptions = {}): Promise<void> {
  await writeModel(folder, options, {
    modelType: 'xlm-roberta',
    vocab: UNIGRAM.length + 1,
    padTokenId: 1,
    extraPositions: 2,
    types: 1,
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: [
        ...UNIGRAM_SPECIALS.map((content, id) => addedToken(id, content)),
        { ...addedToken(UNIGRAM.length, '<mask>'), lstrip: true },
      ],
      normalizer: { type: 'NFKC' },
      pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
      post_processor: template('<s>', 0, '</s>', 2),
      decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
      model: { type: 'Unigram', unk_id: 3, vocab: UNIGRAM, byte_fallback: false },
    },
    tokenizerConfig: {
      tokenizer_class: 'XLMRobertaTokenizer',
      unk_token: '<unk>',
      pad_token: '<pad>',
      eos_token: '</s>',
    },
  });
}

interface Family {
  readonly modelType: string;
  readonly vocab: number;
  readonly padTokenId: number;
  readonly extraPositions: number;
  readonly types: number;
  readonly tokenizer: object;
  readonly tokenizerConfig: object;
}

async function writeModel(folder: string, options: RandomModelOptions, family: Family): Promise<void> {
  const { layers = 2, hidden = 32, heads = 4, pooling = 'cls', maxTokens = 64, normalize = false } = options;
  const { prompts = {}, seed = 1, embeddingRows = family.vocab, activation = 'gelu' } = options;
  await mkdir(join(folder, '1_Pooling'), { recursive: true });
  const json = (name: string, value: unknown) => writeFile(join(folder, name), JSON.stringify(value));
  const module = (idx: number, path: string, type: string) => ({
    idx,
    name: String(idx),
    path,
    type: `sentence_transformers.models.${type}`,
  });
  await json('config.json', {
    architectures: ['Model'],
    model_type: family.modelType,
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: 2 * hidden,
    hidden_act: activation,
    layer_norm_eps: 1e-5,
    max_position_embeddings: maxTokens + family.extraPositions,
    pad_token_id: family.padTokenId,
    type_vocab_size: family.types,
    vocab_size: family.vocab,
  });
  await json('tokenizer.json', family.tokenizer);
  await json('tokenizer_config.json', family.tokenizerConfig);
  await json('modules.json', [
    module(0, '', 'Transformer'),
    module(1, '1_Pooling', 'Pooling'),
    ...(normalize ? [module(2, '2_Normalize', 'Normalize')] : []),
  ]);
  await json('1_Pooling/config.json', {
    word_embedding_dimension: hidden,
    pooling_mode_cls_token: pooling === 'cls',
    pooling_mode_mean_tokens: pooling === 'mean',
    pooling_mode_max_tokens: pooling === 'max',
  });
  await json('sentence_bert_config.json', { max_seq_length: maxTokens, do_lower_case: false });
  await json('config_sentence_transformers.json', { prompts });
  await writeFile(
    join(folder, 'model.safetensors'),
    encodeSafetensors(randomWeights(family, { layers, hidden, maxTokens, embeddingRows }, random(seed))),
  );
}

export interface NamedTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

function randomWeights(
  family: Family,
  {
    layers,
    hidden,
    maxTokens,
    embeddingRows,
  }: { layers: number; hidden: number; maxTokens: number; embeddingRows: number },
  next: () => number,
): Map<string, NamedTensor> {
  const tensors = new Map<string, NamedTensor>();
  const add = (name: string, shape: number[], spread: number, centre = 0) => {
    const size = shape.reduce((a, b) => a * b, 1);
    tensors.set(name, { shape, data: Float32Array.from({ length: size }, () => centre + spread * next()) });
  };
  const linear = (name: string, outputs: number, inputs: number) => {
    add(`${name}.weight`, [outputs, inputs], 1.5 / Math.sqrt(inputs));
    add(`${name}.bias`, [outputs], 0.1);
  };
  const norm = (name: string) => {
    add(`${name}.weight`, [hidden], 0.2, 1);
    add(`${name}.bias`, [hidden], 0.1);
  };
  add('embeddings.word_embeddings.weight', [embeddingRows, hidden], 1);
  add('embeddings.position_embeddings.weight', [maxTokens + family.extraPositions, hidden], 0.3);
  add('embeddings.token_type_embeddings.weight', [family.types, hidden], 0.3);
  norm('embeddings.LayerNorm');
  for (let layer = 0; layer < layers; layer++) {
    const at = `encoder.layer.${layer}`;
    for (const part of ['query', 'key', 'value']) linear(`${at}.attention.self.${part}`, hidden, hidden);
    linear(`${at}.attention.output.dense`, hidden, hidden);
    norm(`${at}.attention.output.LayerNorm`);
    linear(`${at}.intermediate.dense`, 2 * hidden, hidden);
    linear(`${at}.output.dense`, hidden, 2 * hidden);
    norm(`${at}.output.LayerNorm`);
  }
  return tensors;
}

/** safetensors: u64 header length, JSON header, data. */
export function encodeSafetensors(tensors: ReadonlyMap<string, NamedTensor>): Buffer {
  const header: Record<string, unknown> = {};
  const parts: Buffer[] = [];
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    parts.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    offset += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...parts]);
}

function addedToken(id: number, content: string) {
  return { id, content, special: true, single_word: false, lstrip: false, rstrip: false, normalized: false };
}

function template(first: string, firstId: number, last: string, lastId: number) {
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const entry = (id: string, number: number) => ({ id, ids: [number], tokens: [id] });
  return {
    type: 'TemplateProcessing',
    single: [special(first), { Sequence: { id: 'A', type_id: 0 } }, special(last)],
    pair: [
      special(first),
      { Sequence: { id: 'A', type_id: 0 } },
      special(last),
      { Sequence: { id: 'B', type_id: 0 } },
      special(last),
    ],
    special_tokens: { [first]: entry(first, firstId), [last]: entry(last, lastId) },
  };
}

/** Deterministic numbers within -1..1 (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * 2 - 1;
  };
}
