import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBertModel } from '../../../../test/support/random-model.js';
import { loadModel } from '../load.js';
import type { RunnableModel } from '../types.js';
import { encodeAll } from './encode-all.fixture.js';
import { tokensOnlyNamed } from './named-tokens.js';
import { TokenizerThread } from './tokenizer-thread.js';

const CONFIG = { tokenizer_class: 'BertTokenizer', do_lower_case: true, unk_token: '[UNK]', pad_token: '[PAD]' };
let folder: string;
let models = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-settings-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/**
 * The same BERT model each time, with another `tokenizer_config.json`, changed members of `tokenizer.json`, and further
 * JSON files.
 */
async function load(
  config: object,
  changes: Record<string, unknown> = {},
  files: Record<string, unknown> = {},
): Promise<RunnableModel> {
  const at = join(folder, String(models++));
  await makeBertModel(at);
  await writeFile(join(at, 'tokenizer_config.json'), JSON.stringify(config));
  const tokenizer = JSON.parse(await readFile(join(at, 'tokenizer.json'), 'utf8')) as Record<string, unknown>;
  await writeFile(join(at, 'tokenizer.json'), JSON.stringify({ ...tokenizer, ...changes }));
  for (const [name, json] of Object.entries(files)) await writeFile(join(at, `${name}.json`), JSON.stringify(json));
  const options = { modelDir: join(folder, 'models'), device: 'cpu', hfEndpoint: 'http://127.0.0.1:9' };
  return loadModel({ name: 'm', source: at }, options);
}

async function idsOf(model: RunnableModel, text: string): Promise<number[]> {
  const tokenizer = await TokenizerThread.start(model.tokenizerFiles);
  try {
    const [encoded] = await encodeAll(tokenizer, [[text]], { prompt: '', truncate: 'end', maxTokens: 64 });
    return Array.from(encoded!.ids);
  } finally {
    await tokenizer.close();
  }
}

const normalizer = (model: RunnableModel) => (model.tokenizerFiles.tokenizer as { normalizer: object }).normalizer;

it('follows tokenizer_config.json where it contradicts tokenizer.json, as transformers does', async () => {
  const lower = await load(CONFIG);
  const cased = await load({ ...CONFIG, do_lower_case: false });
  expect(normalizer(cased)).toMatchObject({ type: 'BertNormalizer', lowercase: false, handle_chinese_chars: true });
  expect(await idsOf(lower, 'THE FOX')).toEqual(await idsOf(lower, 'the fox'));
  expect(await idsOf(cased, 'THE FOX')).not.toEqual(await idsOf(cased, 'the fox'));
  const kept = await load({ ...CONFIG, strip_accents: false, tokenize_chinese_chars: false });
  expect(normalizer(kept)).toMatchObject({ strip_accents: false, handle_chinese_chars: false, lowercase: true });
  const spaced = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const prefixed = await load({ ...CONFIG, add_prefix_space: true }, { pre_tokenizer: spaced });
  expect(prefixed.tokenizerFiles.tokenizer).toMatchObject({ pre_tokenizer: { ...spaced, add_prefix_space: true } });
});

it("takes the class's defaults for members that the file does not have", async () => {
  const { do_lower_case: _, ...silent } = CONFIG;
  const cased = { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: false, strip_accents: false };
  const model = await load(silent, { normalizer: { ...cased, lowercase: false } });
  expect(normalizer(model)).toMatchObject({ lowercase: true, handle_chinese_chars: true, strip_accents: null });
  const alone = await load({ ...silent, tokenizer_class: 'PreTrainedTokenizerFast' }, { normalizer: cased });
  expect(normalizer(alone)).toEqual(cased);
});

it('refuses other tokens around texts than those of tokenizer.json', async () => {
  await expect(load({ ...CONFIG, sep_token: '[MASK]' })).rejects.toThrow(
    /^tokenizer_config\.json: sep_token is "\[MASK\]", but tokenizer\.json puts "\[CLS\]" and "\[SEP\]" around texts$/,
  );
  const named = { cls_token: { content: '[CLS]', lstrip: false }, sep_token: '[SEP]' };
  expect(normalizer(await load({ ...CONFIG, ...named }))).toMatchObject({ lowercase: true });
});

it('knows the class by the type of the model, too', async () => {
  const { tokenizer_class: _, ...unnamed } = CONFIG;
  expect(normalizer(await load({ ...unnamed, do_lower_case: false }))).toMatchObject({ lowercase: false });
});

it('leaves alone what transformers leaves alone', async () => {
  const other = await load({ ...CONFIG, tokenizer_class: 'PreTrainedTokenizerFast', do_lower_case: false });
  expect(normalizer(other)).toMatchObject({ lowercase: true });
  const sequence = { type: 'Sequence', normalizers: [{ type: 'NFC' }] };
  expect(normalizer(await load({ ...CONFIG, do_lower_case: false }, { normalizer: sequence }))).toEqual(sequence);
});

it('finds tokens in texts that only tokenizer_config.json names, if the model has embeddings for them', async () => {
  const plain = await load(CONFIG);
  const fox = (await idsOf(plain, 'fox'))[1]!;
  expect(await idsOf(plain, 'thefoxa')).not.toContain(fox);
  for (const named of [
    { extra_special_tokens: ['fox'] },
    { additional_special_tokens: [{ content: 'fox', lstrip: false }] },
    { extra_special_tokens: { image_token: 'fox' } },
    { added_tokens_decoder: { [fox]: { content: 'fox', special: true, normalized: false } } },
    { image_token: 'fox' },
  ]) {
    const model = await load({ ...CONFIG, ...named });
    expect((await idsOf(model, 'thefoxa')).slice(1, -1)).toContain(fox);
    expect(model.card.fingerprint).not.toBe(plain.card.fingerprint);
  }
  const tiny = { model: { type: 'WordPiece', vocab: { a: 0, b: 1 } } };
  expect(tokensOnlyNamed(tiny, { extra_special_tokens: ['new', 'b'] }, 2)).toMatchObject([{ id: 1, content: 'b' }]);
  expect(tokensOnlyNamed(tiny, { extra_special_tokens: ['new', 'b'] }, 3)).toMatchObject([{ id: 2 }, { id: 1 }]);
  await expect(load({ ...CONFIG, split_special_tokens: true })).rejects.toThrow(/split_special_tokens: true/);
});

it('reads older files with tokens, as transformers does: not beside an added_tokens_decoder', async () => {
  const plain = await load(CONFIG);
  const fox = (await idsOf(plain, 'fox'))[1]!;
  const withFiles = (files: Record<string, unknown>, config: object = {}) => load({ ...CONFIG, ...config }, {}, files);
  const finds = async (model: RunnableModel, text: string) => (await idsOf(model, text)).slice(1, -1).includes(fox);
  for (const special_tokens_map of [
    { image_token: 'fox' },
    { additional_special_tokens: ['fox'] },
    { extra_special_tokens: [{ content: 'fox', lstrip: false, rstrip: false, normalized: false, single_word: false }] },
    { mask_token: { content: 'fox', lstrip: false, rstrip: false, normalized: false, single_word: false } },
  ]) {
    const model = await withFiles({ special_tokens_map });
    expect(await finds(model, 'thefoxa')).toBe(true);
    // A special token is found in the text as it is, not in lower case.
    expect(await finds(model, 'theFOXa')).toBe(false);
    expect(model.card.fingerprint).not.toBe(plain.card.fingerprint);
    const decoded = await withFiles({ special_tokens_map }, { added_tokens_decoder: {} });
    expect(await finds(decoded, 'thefoxa')).toBe(false);
  }
  const added = await withFiles({ added_tokens: { fox } });
  expect(await finds(added, 'thefoxa')).toBe(true);
  // One that no other file names is not special: it is found after lower-casing.
  expect(await finds(added, 'theFOXa')).toBe(true);
  const both = await withFiles({ added_tokens: { fox }, special_tokens_map: { mask_token: 'fox' } });
  expect(await finds(both, 'theFOXa')).toBe(false);
  // Where the config lists tokens, the map's list of the older name does not count; nor do ids of tokenizer.json.
  const listed = await withFiles(
    { special_tokens_map: { additional_special_tokens: ['fox'] } },
    { additional_special_tokens: ['[MASK]'] },
  );
  expect(await finds(listed, 'thefoxa')).toBe(false);
  expect(await finds(await withFiles({ added_tokens: { fox: 0 } }), 'thefoxa')).toBe(false);
});

it('refuses older files with tokens that say something else', async () => {
  await expect(load(CONFIG, {}, { special_tokens_map: { do_lower_case: false } })).rejects.toThrow(
    /special_tokens_map\.json: do_lower_case is false, but it is no token/,
  );
  await expect(load(CONFIG, {}, { special_tokens_map: { sep_token: 'fox' } })).rejects.toThrow(
    /special_tokens_map\.json: sep_token is "fox", which tokenizer\.json does not list/,
  );
  await expect(load(CONFIG, {}, { added_tokens: { fox: 'x' } })).rejects.toThrow(
    /added_tokens\.json: fox is "x", but it is no id/,
  );
});

it('cuts texts where the files say, if the request does not', async () => {
  const left = { truncation: { direction: 'Left', max_length: 16, strategy: 'LongestFirst', stride: 0 } };
  const plain = await load(CONFIG);
  expect(plain.card).not.toHaveProperty('truncate');
  expect((await load({ ...CONFIG, truncation_side: 'right' }, left)).card).not.toHaveProperty('truncate');
  for (const model of [
    await load({ ...CONFIG, truncation_side: 'left' }),
    await load({ ...CONFIG, truncation_side: null }, left),
  ]) {
    expect(model.card.truncate).toBe('start');
  }
  await expect(load({ ...CONFIG, truncation_side: 'both' })).rejects.toThrow(
    'tokenizer_config.json: truncation_side is "both", neither "left" nor "right"',
  );
});

it('changes nothing for padding_side, since padding changes no vector', async () => {
  const { card } = await load({ ...CONFIG, padding_side: 'left' });
  const { createdAt: _, fingerprint: __, source: ___, ...said } = card;
  expect((await load(CONFIG)).card).toMatchObject(said);
});

it('lower-cases texts first where the model does, but not the special tokens in them, and has another fingerprint', async () => {
  const plain = await load({ ...CONFIG, do_lower_case: false });
  const at = plain.card.source.replace('folder:', '');
  await writeFile(join(at, 'sentence_bert_config.json'), JSON.stringify({ max_seq_length: 64, do_lower_case: true }));
  const options = { modelDir: join(folder, 'models'), device: 'cpu', hfEndpoint: 'http://127.0.0.1:9' };
  const lower = await loadModel({ name: 'm', source: at }, options);
  expect(lower.card.fingerprint).not.toBe(plain.card.fingerprint);
  expect(await idsOf(lower, 'THE [SEP] FOX')).toEqual(await idsOf(plain, 'the [SEP] fox'));
  expect(await idsOf(plain, 'THE [SEP] FOX')).not.toEqual(await idsOf(plain, 'the [SEP] fox'));
});
