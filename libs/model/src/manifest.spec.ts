import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BootError } from '#contracts';
import { makeBertModel } from '../../../test/support/random-model.js';
import { readManifest } from './manifest.js';
import { filesInFolder } from './resolve/folder.js';
import type { Manifest, ManifestOverrides } from './types.js';

let folder: string;
let models = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-manifest-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The manifest of a random model with some of its files replaced; undefined: removed. */
async function manifestWith(
  files: Readonly<Record<string, unknown>>,
  source = 'folder:test',
  overrides: ManifestOverrides = {},
): Promise<Manifest> {
  const at = join(folder, String(models++));
  await makeBertModel(at);
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined) await rm(join(at, name));
    else await writeFile(join(at, name), JSON.stringify(content));
  }
  return readManifest(await filesInFolder(at, source, 'fp32', overrides));
}

const MODULES = ['Transformer', 'Pooling', 'Normalize'].map((type, idx) => ({
  idx,
  name: String(idx),
  path: idx === 0 ? '' : `${idx}_${type}`,
  type: `sentence_transformers.models.${type}`,
}));
const POOLING = {
  word_embedding_dimension: 1024,
  pooling_mode_cls_token: true,
  pooling_mode_mean_tokens: false,
  pooling_mode_max_tokens: false,
  pooling_mode_mean_sqrt_len_tokens: false,
  pooling_mode_weightedmean_tokens: false,
  pooling_mode_lasttoken: false,
  include_prompt: true,
};
const SENTENCE_TRANSFORMERS = {
  __version__: { sentence_transformers: '2.2.2', transformers: '4.28.1', pytorch: '1.13.0+cu117' },
  prompts: {},
  default_prompt_name: null,
  similarity_fn_name: 'cosine',
};

const XLM_ROBERTA = {
  attention_probs_dropout_prob: 0.1,
  bos_token_id: 0,
  classifier_dropout: null,
  eos_token_id: 2,
  hidden_act: 'gelu',
  hidden_dropout_prob: 0.1,
  hidden_size: 1024,
  initializer_range: 0.02,
  intermediate_size: 4096,
  layer_norm_eps: 1e-5,
  model_type: 'xlm-roberta',
  num_attention_heads: 16,
  num_hidden_layers: 24,
  output_past: true,
  pad_token_id: 1,
  position_embedding_type: 'absolute',
  transformers_version: '4.30.2',
  type_vocab_size: 1,
  use_cache: true,
  vocab_size: 250002,
};
/** As these models' repositories have them. */
const CONFIGS = {
  'BAAI/bge-large-zh': {
    _name_or_path: '',
    architectures: ['BertModel'],
    attention_probs_dropout_prob: 0.1,
    bos_token_id: 0,
    classifier_dropout: null,
    directionality: 'bidi',
    eos_token_id: 2,
    hidden_act: 'gelu',
    hidden_dropout_prob: 0.1,
    hidden_size: 1024,
    id2label: { 0: 'LABEL_0' },
    initializer_range: 0.02,
    intermediate_size: 4096,
    label2id: { LABEL_0: 0 },
    layer_norm_eps: 1e-12,
    max_position_embeddings: 512,
    model_type: 'bert',
    num_attention_heads: 16,
    num_hidden_layers: 24,
    output_past: true,
    pad_token_id: 0,
    pooler_fc_size: 768,
    pooler_num_attention_heads: 12,
    pooler_num_fc_layers: 3,
    pooler_size_per_head: 128,
    pooler_type: 'first_token_transform',
    position_embedding_type: 'absolute',
    torch_dtype: 'float32',
    transformers_version: '4.28.1',
    type_vocab_size: 2,
    use_cache: true,
    vocab_size: 21128,
  },
  'avsolatorio/NoInstruct-small-Embedding-v0': {
    _name_or_path: 'avsolatorio/NoInstruct-small-Embedding-v0',
    architectures: ['BertModel'],
    attention_probs_dropout_prob: 0.1,
    classifier_dropout: null,
    hidden_act: 'gelu',
    hidden_dropout_prob: 0.1,
    hidden_size: 384,
    id2label: { 0: 'LABEL_0' },
    initializer_range: 0.02,
    intermediate_size: 1536,
    label2id: { LABEL_0: 0 },
    layer_norm_eps: 1e-12,
    max_position_embeddings: 512,
    model_type: 'bert',
    num_attention_heads: 12,
    num_hidden_layers: 12,
    output_hidden_states: true,
    pad_token_id: 0,
    position_embedding_type: 'absolute',
    torch_dtype: 'float32',
    transformers_version: '4.39.3',
    type_vocab_size: 2,
    use_cache: true,
    vocab_size: 30522,
  },
  'intfloat/multilingual-e5-large': {
    ...XLM_ROBERTA,
    _name_or_path: 'intfloat/multilingual-e5-large',
    architectures: ['XLMRobertaModel'],
    max_position_embeddings: 514,
  },
  'BAAI/bge-reranker-v2-m3': {
    ...XLM_ROBERTA,
    _name_or_path: 'BAAI/bge-m3',
    architectures: ['XLMRobertaForSequenceClassification'],
    id2label: { 0: 'LABEL_0' },
    label2id: { LABEL_0: 0 },
    max_position_embeddings: 8194,
    torch_dtype: 'float32',
    transformers_version: '4.38.1',
  },
};

it.each(Object.entries(CONFIGS))('knows every member of the files of %s', async (_name, config) => {
  const manifest = await manifestWith({
    'config.json': config,
    'modules.json': MODULES,
    '1_Pooling/config.json': POOLING,
    'sentence_bert_config.json': { max_seq_length: 512, do_lower_case: false },
    'config_sentence_transformers.json': SENTENCE_TRANSFORMERS,
  });
  expect(manifest).toMatchObject({ maxTokens: 512, pooling: 'cls', normalize: true, warnings: [] });
  expect(manifest.encoder).not.toBeNull();
});

it('reads the files that sentence-transformers writes since version 5.4', async () => {
  const manifest = await manifestWith({
    'modules.json': [
      { idx: 0, name: '0', path: '', type: 'sentence_transformers.base.modules.transformer.Transformer' },
      {
        idx: 1,
        name: '1',
        path: '1_Pooling',
        type: 'sentence_transformers.sentence_transformer.modules.pooling.Pooling',
      },
    ],
    '1_Pooling/config.json': { embedding_dimension: 32, pooling_mode: 'mean', include_prompt: true },
    'sentence_bert_config.json': {
      transformer_task: 'feature-extraction',
      modality_config: { text: { method: 'forward', method_output_name: 'last_hidden_state' } },
      module_output_name: 'token_embeddings',
      processing_kwargs: {},
      unpad_inputs: false,
    },
    'config_sentence_transformers.json': { ...SENTENCE_TRANSFORMERS, model_type: 'SentenceTransformer' },
  });
  expect(manifest).toMatchObject({ pooling: 'mean', normalize: false, warnings: [] });
});

it.each([
  [
    'one of the older generation',
    { ...POOLING, pooling_mode_cls_token: false, pooling_mode_lasttoken: true },
    'lasttoken',
    1,
  ],
  [
    'several, in the order in which they are concatenated',
    { ...POOLING, pooling_mode_weightedmean_tokens: true, pooling_mode_max_tokens: true },
    'cls+max+weightedmean',
    3,
  ],
  ['one since version 5.4', { pooling_mode: 'mean_sqrt_len_tokens' }, 'mean_sqrt_len_tokens', 1],
  ['a list since version 5.4, in its own order', { pooling_mode: ['mean', 'cls'] }, 'mean+cls', 2],
  ['both: the newer member counts', { ...POOLING, pooling_mode: 'mean' }, 'mean', 1],
])('reads poolings: %s', async (_name, config, pooling, vectors) => {
  const manifest = await manifestWith({ '1_Pooling/config.json': config });
  expect(manifest).toMatchObject({ pooling, dimensions: 32 * vectors, hiddenSize: 32, warnings: [] });
});

it.each<[string, string, unknown, RegExp]>([
  [
    'a new pooling mode',
    '1_Pooling/config.json',
    { embedding_dimension: 32, pooling_mode: ['mean', 'colbert'] },
    /1_Pooling\/config\.json: asks for mean and colbert; Embedmill pools by cls, max, mean, mean_sqrt_len_tokens/,
  ],
  ['no pooling mode', '1_Pooling/config.json', {}, /asks for no pooling/],
  [
    'code of the model for its config.json',
    'config.json',
    { ...CONFIGS['BAAI/bge-large-zh'], auto_map: { AutoModel: 'modeling.Model' } },
    /config\.json: auto_map is \{"AutoModel":"modeling\.Model"\}/,
  ],
  [
    'a module of another package',
    'modules.json',
    [{ ...MODULES[0], type: 'custom_st.Transformer' }, MODULES[1]],
    /modules\.json: type is "custom_st\.Transformer"; Embedmill does not run the model's own code/,
  ],
  [
    'modules in another order',
    'modules.json',
    [MODULES[0], MODULES[2], MODULES[1]],
    /modules\.json: its modules are Transformer, Normalize, Pooling; /,
  ],
  ['a folder outside', 'modules.json', [{ ...MODULES[0], path: '../other' }], /path is "\.\.\/other"/],
  [
    'an adapter',
    'adapter_config.json',
    { peft_type: 'LORA', base_model_name_or_path: 'a/b' },
    /adapter_config\.json: the model is an adapter.*merge/,
  ],
  [
    'a default prompt that there is not',
    'config_sentence_transformers.json',
    { prompts: { query: 'q: ' }, default_prompt_name: 'passage' },
    /config_sentence_transformers\.json: default_prompt_name is "passage"/,
  ],
  [
    'another task',
    'sentence_bert_config.json',
    { transformer_task: 'fill-mask' },
    /sentence_bert_config\.json: transformer_task is "fill-mask"/,
  ],
  [
    'a sparse encoder',
    'config_sentence_transformers.json',
    { model_type: 'SparseEncoder' },
    /config_sentence_transformers\.json: model_type is "SparseEncoder"/,
  ],
  [
    'a limit that is no number',
    'sentence_bert_config.json',
    { max_seq_length: 'all' },
    /sentence_bert_config\.json: max_seq_length is "all": /,
  ],
])('refuses %s, naming file, member and value', async (_name, file, content, message) => {
  const refused = manifestWith({ [file]: content });
  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.toBeInstanceOf(BootError);
});

it('refuses a mode of pooling that is on and unknown, and heads that do not share the channels', async () => {
  await expect(manifestWith({ '1_Pooling/config.json': { ...POOLING, pooling_mode_median: true } })).rejects.toThrow(
    /1_Pooling\/config\.json: pooling_mode_median is true, a pooling that Embedmill does not know/,
  );
  const config = { ...CONFIGS['BAAI/bge-large-zh'], num_attention_heads: 7 };
  await expect(manifestWith({ 'config.json': config })).rejects.toThrow(
    /config\.json: num_attention_heads is 7, which does not divide hidden_size/,
  );
});

it('says in one line what is no JSON, what is a pointer of Git LFS, and what is an adapter', async () => {
  const withFile = async (name: string, content: string) => {
    const at = join(folder, String(models++));
    await makeBertModel(at);
    await rm(join(at, 'config.json'));
    await writeFile(join(at, name), content);
    return readManifest(await filesInFolder(at, 'folder:test', 'fp32'));
  };
  const config = (content: string) => withFile('config.json', content);
  await expect(config('{\n  "a": 1,\n  "b": }\n}')).rejects.toThrow(/^[^\n]*config\.json: Unexpected token [^\n]*$/);
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 3\n';
  await expect(config(pointer)).rejects.toThrow(/^[^\n]*config\.json is a pointer of Git LFS[^\n]*$/);
  await expect(config('[]')).rejects.toThrow(/config\.json: hidden_size is missing/);
  await expect(withFile('adapter_config.json', '{}')).rejects.toThrow(/adapter_config\.json: the model is an adapter/);
});

it('warns of what it goes on without', async () => {
  const { warnings } = await manifestWith({
    'modules.json': [{ ...MODULES[0], kwargs: ['task'] }, MODULES[1]],
    '1_Pooling/config.json': { ...POOLING, output_key: 'sentence_embedding' },
  });
  expect(warnings).toEqual([
    expect.stringMatching(/modules\.json: kwargs is \["task"\]/),
    expect.stringMatching(/1_Pooling\/config\.json: output_key is "sentence_embedding"/),
  ]);
});

it('reads what the files say about prompts and lengths', async () => {
  const manifest = await manifestWith({
    'config_sentence_transformers.json': {
      prompts: { query: 'q: ', document: '' },
      default_prompt_name: 'query',
      truncate_dim: 16,
    },
    'sentence_bert_config.json': { max_seq_length: 32, do_lower_case: true },
  });
  expect(manifest).toMatchObject({
    prompts: { query: 'q: ', document: '' },
    defaultPrompt: 'query',
    instruction: null,
    truncateDim: 16,
    maxTokens: 32,
    lowerCase: true,
    warnings: [],
  });
});

it('knows the prompt of bge-zh, whose files have none', async () => {
  const files = {
    'config.json': CONFIGS['BAAI/bge-large-zh'],
    'modules.json': MODULES,
    '1_Pooling/config.json': POOLING,
    'config_sentence_transformers.json': SENTENCE_TRANSFORMERS,
  };
  const manifest = await manifestWith(files, 'hub:BAAI/bge-large-zh-v1.5@c0ffee');
  expect(manifest).toMatchObject({ prompts: { query: '为这个句子生成表示以用于检索相关文章：' }, defaultPrompt: null });
  expect((await manifestWith(files, 'folder:/models/mine')).prompts).toEqual({});
});

it.each(['roberta', 'distilbert', 'camembert', 'albert', 'xlm-roberta', 'xlnet'])(
  'reads the longest text from sentence_%s_config.json',
  async (kind) => {
    const manifest = await manifestWith({
      'sentence_bert_config.json': undefined,
      [`sentence_${kind}_config.json`]: { max_seq_length: 20, do_lower_case: false },
    });
    expect(manifest.maxTokens).toBe(20);
  },
);

describe('a model without a pooling file', () => {
  const bare = { 'modules.json': undefined, '1_Pooling/config.json': undefined };

  it('pools as its family does', async () => {
    const bge = await manifestWith(bare, 'hub:Xenova/bge-small-en-v1.5@c0ffee');
    expect(bge).toMatchObject({ pooling: 'cls', normalize: true, poolingUnknown: null });
    const e5 = await manifestWith(bare, 'folder:/models/multilingual-e5-small');
    expect(e5).toMatchObject({ pooling: 'mean', normalize: true });
  });

  it('pools as models.json says', async () => {
    expect(await manifestWith(bare, 'folder:test', { pooling: 'max' })).toMatchObject({
      pooling: 'max',
      normalize: false,
    });
  });

  it('is refused otherwise, with the line for models.json', async () => {
    await expect(manifestWith(bare, 'folder:/models/mine')).rejects.toThrow(
      "folder:/models/mine: no file says how it pools (1_Pooling/config.json). Look for it in the model's description, " +
        'and write it into models.json (EMBED_MODELS_FILE), as one of cls, max, mean, mean_sqrt_len_tokens, weightedmean, ' +
        'lasttoken: ' +
        '{"NAME":{"source":"/models/mine","pooling":"mean"}}',
    );
  });
});
