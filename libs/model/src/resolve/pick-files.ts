import type { Dtype } from '#contracts';
import type { DenseFiles } from '../types.js';

/** Paths relative to a model's root, forward slashes; null for a missing file. */
export interface PickedFiles {
  readonly config: string | null;
  readonly tokenizer: string | null;
  readonly tokenizerConfig: string | null;
  readonly weights: readonly string[];
  readonly onnx: string | null;
  /** Files with the external weights of an ONNX graph, if it has any. */
  readonly onnxData: readonly string[];
  readonly modules: string | null;
  readonly pooling: string | null;
  /** Folders of Dense modules. */
  readonly dense: readonly DenseFiles[];
  readonly sentenceBert: string | null;
  readonly sentenceTransformers: string | null;
}

const ONNX_NAMES: Record<Dtype, readonly string[]> = {
  fp32: ['onnx/model.onnx', 'model.onnx'],
  fp16: ['onnx/model_fp16.onnx', 'model_fp16.onnx'],
  int8: ['onnx/model_int8.onnx', 'onnx/model_quantized.onnx', 'model_int8.onnx', 'model_quantized.onnx'],
};

/** Picks the files to use from the listing of a folder or of the hub. */
export function pickFiles(listing: readonly string[], dtype: Dtype): PickedFiles {
  const has = new Set(listing);
  const one = (path: string) => (has.has(path) ? path : null);
  const onnx = ONNX_NAMES[dtype].find((path) => has.has(path)) ?? null;
  return {
    config: one('config.json'),
    tokenizer: one('tokenizer.json'),
    tokenizerConfig: one('tokenizer_config.json'),
    weights: weightsOf(listing),
    onnx,
    onnxData: onnx === null ? [] : listing.filter((path) => path === `${onnx}_data` || path === `${onnx}.data`),
    modules: one('modules.json'),
    pooling: listing.find((path) => /^\d+_Pooling\/config\.json$/.test(path)) ?? null,
    dense: denseOf(listing),
    sentenceBert: one('sentence_bert_config.json'),
    sentenceTransformers: one('config_sentence_transformers.json'),
  };
}

function denseOf(listing: readonly string[]): DenseFiles[] {
  return listing.flatMap((config) => {
    const folder = /^([^/]*Dense[^/]*)\/config\.json$/.exec(config)?.[1];
    if (folder === undefined) return [];
    const weights = `${folder}/model.safetensors`;
    return [{ folder, config, weights: listing.includes(weights) ? weights : null }];
  });
}

function weightsOf(listing: readonly string[]): string[] {
  if (listing.includes('model.safetensors')) return ['model.safetensors'];
  const shards = listing.filter((path) => /^model-\d+-of-\d+\.safetensors$/.test(path)).sort();
  if (shards.length > 0) return shards;
  const any = listing.filter((path) => /^[^/]+\.safetensors$/.test(path));
  return any.length === 1 ? any : [];
}
