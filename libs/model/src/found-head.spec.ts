import { mkdtemp, rm, writeFile, mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BootError } from '#contracts';
import { makeBertModel } from '../../../test/support/random-model.js';
import { readConfig } from './config/transformers.js';
import { findHead, type FoundHead } from './found-head.js';
import { loadHeads } from './load-heads.js';
import { readManifest } from './manifest.js';
import { filesInFolder } from './resolve/folder.js';
import type { ManifestOverrides } from './types.js';

let folder: string;
let models = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-head-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Files = Readonly<Record<string, object | undefined>>;

/** A random BERT with members of its `config.json` and other files replaced; undefined: removed. */
async function modelWith(config: object, files: Files = {}): Promise<string> {
  const at = join(folder, String(models++));
  await makeBertModel(at);
  const { architectures: _, ...plain } = JSON.parse(await readFile(join(at, 'config.json'), 'utf8')) as Files;
  for (const [name, content] of Object.entries({ 'config.json': { ...plain, ...config }, ...files })) {
    await mkdir(dirname(join(at, name)), { recursive: true });
    if (content === undefined) await rm(join(at, name), { recursive: true, force: true });
    else await writeFile(join(at, name), JSON.stringify(content));
  }
  return at;
}

const BARE: Files = { 'modules.json': undefined, '1_Pooling': undefined };
const modules = (...types: readonly string[]) =>
  types.map((type, idx) => ({ idx, name: String(idx), path: idx === 0 ? '' : `${idx}_Head`, type }));
const ST = 'sentence_transformers';
const SPLADE: Files = {
  'modules.json': modules(`${ST}.sparse_encoder.models.MLMTransformer`, `${ST}.sparse_encoder.models.SpladePooling`),
  '1_Head/config.json': { pooling_strategy: 'max', activation_function: 'relu', word_embedding_dimension: null },
};
const ANSWERS: Files = {
  'modules.json': modules(
    `${ST}.base.modules.transformer.Transformer`,
    `${ST}.cross_encoder.modules.logit_score.LogitScore`,
  ),
  '1_Head/config.json': { true_token_id: 7, false_token_id: null },
};
const CLASSIFIER = { architectures: ['BertForSequenceClassification'] };
const CAUSAL = { architectures: ['Qwen3ForCausalLM'] };
const WORDS: Files = { 'tokenizer.json': { model: { type: 'BPE', vocab: { no: 3, yes: 5, 0: 8, 1: 9 } } } };

async function headOf(at: string, source = 'folder:test', overrides: ManifestOverrides = {}): Promise<FoundHead> {
  const files = await filesInFolder(at, source, 'fp32', overrides);
  const warnings: string[] = [];
  const head = await findHead(files, await readConfig(files.config!), (warning) => warnings.push(warning));
  expect(warnings).toEqual([]);
  return head;
}

it.each<[string, object, Files, FoundHead]>([
  ['an embedding model', {}, {}, { kind: 'vector' }],
  ['an embedding model that was saved as a classifier', CLASSIFIER, {}, { kind: 'vector' }],
  ['two labels, unless it says otherwise', CLASSIFIER, BARE, classifier(2)],
  ['a number of labels', { ...CLASSIFIER, num_labels: 4 }, BARE, classifier(4)],
  ['names of labels, which count more', { ...CLASSIFIER, num_labels: 4, id2label: { 0: 'x' } }, BARE, classifier(1)],
  [
    'a cross-encoder as sentence-transformers saves it',
    { ...CLASSIFIER, num_labels: 1 },
    { ...BARE, 'modules.json': modules(`${ST}.base.modules.transformer.Transformer`) },
    classifier(1),
  ],
  [
    'a classifier of tokens',
    { architectures: ['BertForTokenClassification'] },
    BARE,
    { kind: 'unknown', className: 'BertForTokenClassification' },
  ],
  ['SPLADE', {}, SPLADE, { kind: 'splade', pooling: { strategy: 'max', activation: 'relu' } }],
  [
    'SPLADE by sums of two logarithms',
    {},
    { ...SPLADE, '1_Head/config.json': { pooling_strategy: 'sum', activation_function: 'log1p_relu' } },
    { kind: 'splade', pooling: { strategy: 'sum', activation: 'log1p_relu' } },
  ],
  ['a language model that scores one token', CAUSAL, ANSWERS, { kind: 'next token', answers: { yes: 7, no: null } }],
])('finds %s', async (_name, config, files, expected) => {
  expect(await headOf(await modelWith(config, files))).toEqual(expected);
});

function classifier(labels: number): FoundHead {
  return { kind: 'classifier', labels, className: 'BertForSequenceClassification' };
}

it('finds the answers of known rerankers in their vocabulary', async () => {
  const at = await modelWith(CAUSAL, { ...BARE, ...WORDS });
  const named = (source: string) => headOf(at, source);
  expect(await named('hub:Qwen/Qwen3-Reranker-0.6B@1')).toEqual({ kind: 'next token', answers: { yes: 5, no: 3 } });
  expect(await named('folder:/m/mxbai-rerank-base-v2')).toEqual({ kind: 'next token', answers: { yes: 9, no: 8 } });
  expect(await named('hub:Qwen/Qwen3-Embedding-0.6B@1')).toEqual({ kind: 'vector' });
});

it('lets models.json make an embedding model of a classifier', async () => {
  const at = await modelWith(CLASSIFIER, BARE);
  expect(await headOf(at, 'folder:test', { pooling: 'cls' })).toEqual({ kind: 'vector' });
});

it('finds the layers of bge-m3 beside its weights, safetensors before others', async () => {
  const at = await modelWith({}, { 'sparse_linear.pt': {}, 'colbert_linear.pt': {}, 'colbert_linear.safetensors': {} });
  expect(await headOf(at)).toEqual({
    kind: 'vector and tokens',
    sparse: join(at, 'sparse_linear.pt'),
    vectors: join(at, 'colbert_linear.safetensors'),
  });
});

it.each<[string, object, Files]>([
  ['a classifier', CLASSIFIER, BARE],
  ['SPLADE', {}, SPLADE],
  ['a language model as a reranker', CAUSAL, ANSWERS],
])('%s is not served as an embedding model', async (_name, config, files) => {
  const read = readManifest(await filesInFolder(await modelWith(config, files), 'folder:test', 'fp32'));
  await expect(read).rejects.toThrow(/^[^\n]+, whose results are not vectors[^\n]*$/);
  await expect(read).rejects.toBeInstanceOf(BootError);
});

it.each<[string, object, Files, RegExp]>([
  ['an embedding model', {}, {}, /it gives vectors of texts, and has no other head/],
  [
    'a classifier of tokens',
    { architectures: ['BertForTokenClassification'] },
    BARE,
    /config\.json: architectures is "BertForTokenClassification", for which Embedmill has no head/,
  ],
  ['a classifier without its weights', CLASSIFIER, BARE, /the weights have no "bert\.pooler\.dense\.weight"/],
  [
    'another strategy of SPLADE',
    {},
    { ...SPLADE, '1_Head/config.json': { pooling_strategy: 'mean' } },
    /1_Head\/config\.json: pooling_strategy is "mean": /,
  ],
  [
    'SPLADE after other modules',
    {},
    {
      ...SPLADE,
      'modules.json': modules(`${ST}.models.Transformer`, `${ST}.models.Dense`, `${ST}.models.SpladePooling`),
    },
    /modules\.json: its modules are Transformer, Dense, SpladePooling; before SpladePooling Embedmill runs only /,
  ],
  [
    'scores of other values',
    CAUSAL,
    { ...ANSWERS, '1_Head/config.json': { true_token_id: 7, module_input_name: 'logits' } },
    /1_Head\/config\.json: module_input_name is "logits"/,
  ],
  [
    'a family without a language model',
    CAUSAL,
    ANSWERS,
    /config\.json: Embedmill knows no language model of this model_type/,
  ],
  [
    'layers in files that are neither safetensors nor of PyTorch',
    {},
    { 'sparse_linear.pt': {}, 'colbert_linear.pt': {} },
    /sparse_linear\.pt: /,
  ],
])('compiles no heads of %s', async (_name, config, files, message) => {
  const source = await modelWith(config, files);
  const loaded = loadHeads(
    { name: 'm', source },
    { modelDir: join(folder, 'graphs'), device: 'cpu', dtype: 'fp32', hfEndpoint: 'http://127.0.0.1' },
  );
  await expect(loaded).rejects.toThrow(message);
  await expect(loaded).rejects.toBeInstanceOf(BootError);
});
