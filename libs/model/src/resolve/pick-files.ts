import type { Dtype } from '#contracts';
import { HEAD_MODULES, isStatic, type SentenceModule } from '../config/modules.js';
import type { DenseFiles } from '../types.js';

/** Paths relative to a model's root, forward slashes; null for a missing file. */
export interface PickedFiles {
  /** Whether the weights are only a table of tokens' vectors. */
  readonly isStatic: boolean;
  readonly config: string | null;
  readonly tokenizer: string | null;
  readonly tokenizerConfig: string | null;
  readonly weights: readonly string[];
  readonly onnx: string | null;
  /** Files with the external weights of an ONNX graph; empty until it is downloaded, because only it says which. */
  readonly onnxData: readonly string[];
  readonly modules: string | null;
  readonly pooling: string | null;
  /** `config.json` of a module that stands where others have Pooling, such as SpladePooling. */
  readonly head: string | null;
  /** Files of the Dense modules that `modules.json` names. */
  readonly dense: readonly DenseFiles[];
  readonly sentenceBert: string | null;
  readonly sentenceTransformers: string | null;
  /** Settings of an adapter, whose weights are to be added to the model's. */
  readonly adapter: string | null;
}

/** Where the modules of a model have their files: folders relative to its root, '' for the root. */
export interface Layout {
  /** Whether the first module is a table of tokens' vectors. */
  readonly isStatic: boolean;
  /** Folder of the first module. */
  readonly body: string;
  /** null: wherever there is one. */
  readonly pooling: string | null;
  /** Of a module of another head; null: there is none. */
  readonly head: string | null;
  readonly dense: readonly string[];
}

/** A model without `modules.json`. */
export const FLAT: Layout = { isStatic: false, body: '', pooling: null, head: null, dense: [] };

/** A model of model2vec without `modules.json`. */
export const FLAT_TABLE: Layout = { ...FLAT, isStatic: true };

/** The folders that `modules.json` names. What it names wrongly is for the manifest to refuse. */
export function layoutOf(modules: readonly SentenceModule[]): Layout {
  const pathOf = (kind: string) => modules.find((module) => module.kind === kind)?.path;
  return {
    isStatic: isStatic(modules),
    body: pathOf('Transformer') ?? pathOf('StaticEmbedding') ?? '',
    pooling: pathOf('Pooling') ?? null,
    head: modules.find(({ kind }) => HEAD_MODULES.includes(kind))?.path ?? null,
    dense: modules.filter(({ kind }) => kind === 'Dense').map(({ path }) => path),
  };
}

const ONNX_NAMES: Record<Dtype, readonly string[]> = {
  fp32: ['onnx/model.onnx', 'model.onnx'],
  fp16: ['onnx/model_fp16.onnx', 'model_fp16.onnx'],
  int8: ['onnx/model_int8.onnx', 'onnx/model_quantized.onnx', 'model_int8.onnx', 'model_quantized.onnx'],
};

/** Names of the transformer's settings, in the order in which sentence-transformers looks for them. */
const SENTENCE_FILES = ['bert', 'roberta', 'distilbert', 'camembert', 'albert', 'xlm-roberta', 'xlnet'].map(
  (kind) => `sentence_${kind}_config.json`,
);

/**
 * Picks the files to use from the listing of a folder or of the hub. Of a static model, sentence-transformers reads only
 * the table and `tokenizer.json`; its `config.json` counts where there is no `modules.json`.
 */
export function pickFiles(listing: readonly string[], dtype: Dtype, layout: Layout = FLAT): PickedFiles {
  const has = new Set(listing);
  const one = (path: string) => (has.has(path) ? path : null);
  const first = (paths: readonly string[]) => paths.find((path) => has.has(path)) ?? null;
  const at = layout.body === '' ? '' : `${layout.body}/`;
  const unlessStatic = (path: string | null) => (layout.isStatic ? null : path);
  const onnx = unlessStatic(first(ONNX_NAMES[dtype].map((path) => at + path)));
  const own = listing.flatMap((path) => (path.startsWith(at) ? [path.slice(at.length)] : []));
  const safetensors = weightsOf(own);
  // A graph that earlier versions served stays in use; but vectors of int8 graphs depend on their batch.
  const weights = safetensors.length > 0 || (onnx !== null && dtype !== 'int8') ? safetensors : torchWeightsOf(own);
  return {
    isStatic: layout.isStatic,
    config: layout.isStatic && has.has('modules.json') ? null : one(`${at}config.json`),
    tokenizer: one(`${at}tokenizer.json`) ?? unlessStatic(vocabularyIn(at, one)),
    tokenizerConfig: unlessStatic(one(`${at}tokenizer_config.json`)),
    weights: weights.map((path) => at + path),
    onnx,
    onnxData: [],
    modules: one('modules.json'),
    pooling:
      layout.pooling === null
        ? (listing.find((path) => /^\d+_Pooling\/config\.json$/.test(path)) ?? null)
        : one(layout.pooling === '' ? 'config.json' : `${layout.pooling}/config.json`),
    head: layout.head === null ? null : one(`${layout.head}/config.json`),
    dense: layout.dense.flatMap((folder) => denseIn(folder, one)),
    sentenceBert: unlessStatic(first(SENTENCE_FILES.map((path) => at + path))),
    sentenceTransformers: one('config_sentence_transformers.json'),
    adapter: one(`${at}adapter_config.json`),
  };
}

function denseIn(folder: string, one: (path: string) => string | null): DenseFiles[] {
  const config = one(`${folder}/config.json`);
  const weights = one(`${folder}/model.safetensors`) ?? one(`${folder}/pytorch_model.bin`);
  return config === null ? [] : [{ folder, config, weights }];
}

/** BERT's `vocab.txt`, unless tokens were added to it in the way of old versions of transformers. */
function vocabularyIn(at: string, one: (path: string) => string | null): string | null {
  return one(`${at}added_tokens.json`) === null ? one(`${at}vocab.txt`) : null;
}

function weightsOf(listing: readonly string[]): string[] {
  if (listing.includes('model.safetensors')) return ['model.safetensors'];
  const shards = listing.filter((path) => /^model-\d+-of-\d+\.safetensors$/.test(path)).sort();
  if (shards.length > 0) return shards;
  const any = listing.filter((path) => /^[^/]+\.safetensors$/.test(path));
  return any.length === 1 ? any : [];
}

/** Files of PyTorch, for models that have no safetensors. */
function torchWeightsOf(listing: readonly string[]): string[] {
  if (listing.includes('pytorch_model.bin')) return ['pytorch_model.bin'];
  return listing.filter((path) => /^pytorch_model-\d+-of-\d+\.bin$/.test(path)).sort();
}
