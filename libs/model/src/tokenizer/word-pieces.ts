import { BootError } from '#contracts';
import { z } from 'zod';
import { parseFile, readJson } from '../config/closed-file.js';

/** Members of `tokenizer_config.json` that BERT's tokenizer is made of. */
const token = z.union([z.string(), z.object({ content: z.string() }).transform(({ content }) => content)]);
const added = z.object({
  content: z.string(),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().default(true),
  special: z.boolean().default(false),
});
const settings = z.object({
  do_lower_case: z.boolean().default(true),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().default(true),
  pad_token: token.default('[PAD]'),
  unk_token: token.default('[UNK]'),
  cls_token: token.default('[CLS]'),
  sep_token: token.default('[SEP]'),
  mask_token: token.default('[MASK]'),
  added_tokens_decoder: z.record(z.string(), added).default({}),
});

/**
 * The definition of BERT's tokenizer, as transformers makes it of `vocab.txt`, where there is no `tokenizer.json`.
 * @param vocabulary the file's text: a piece a line, its id the number of the line
 * @param configPath of `tokenizer_config.json`; null for none
 * @throws BootError when the vocabulary lacks a special token
 */
export async function wordPieces(
  path: string,
  vocabulary: string,
  configPath: string | null,
): Promise<Record<string, unknown>> {
  const file = configPath === null ? { path, json: {} } : await readJson(configPath);
  const said = parseFile(file, settings);
  const lines = vocabulary.split(/\r\n|\r|\n/);
  if (lines.at(-1) === '') lines.pop();
  const vocab = new Map(lines.map((piece, id) => [piece, id]));
  // Tokens that were added later have ids after those of the vocabulary.
  const later = new Map(Object.entries(said.added_tokens_decoder).map(([id, one]) => [one.content, Number(id)]));
  const idOf = (piece: string): number => {
    const id = vocab.get(piece) ?? later.get(piece);
    if (id === undefined) throw new BootError(`${path}: there is no piece "${piece}"`);
    return id;
  };
  const [cls, sep] = [said.cls_token, said.sep_token];
  const special = [said.pad_token, said.unk_token, cls, sep, said.mask_token].map((content) => ({
    ...{ id: idOf(content), content, special: true },
    ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
  }));
  const others = Object.entries(said.added_tokens_decoder)
    .map(([id, one]) => ({ id: Number(id), ...one }))
    .filter(({ content }) => special.every((one) => one.content !== content));
  const part = (id: string, type: number) => ({ SpecialToken: { id, type_id: type } });
  const text = (id: string, type: number) => ({ Sequence: { id, type_id: type } });
  return {
    added_tokens: [...special, ...others],
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: said.tokenize_chinese_chars,
      strip_accents: said.strip_accents ?? null,
      lowercase: said.do_lower_case,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [part(cls, 0), text('A', 0), part(sep, 0)],
      pair: [part(cls, 0), text('A', 0), part(sep, 0), text('B', 1), part(sep, 1)],
      special_tokens: Object.fromEntries([cls, sep].map((id) => [id, { id, ids: [idOf(id)], tokens: [id] }])),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      vocab: Object.fromEntries(vocab),
      unk_token: said.unk_token,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
    },
  };
}
