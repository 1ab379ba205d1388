import type { Pooling } from '#contracts';
import { modelName } from './model-name.js';

/** What a family's own `modules.json` says, for copies of its models that lack the file, as many ONNX copies do. */
export interface BuiltInPooling {
  readonly pooling: Pooling;
  readonly normalize: boolean;
}

const MEAN: BuiltInPooling = { pooling: 'mean', normalize: false };
const MEAN_NORMALIZED: BuiltInPooling = { pooling: 'mean', normalize: true };
const CLS: BuiltInPooling = { pooling: 'cls', normalize: false };
const CLS_NORMALIZED: BuiltInPooling = { pooling: 'cls', normalize: true };
const LAST_NORMALIZED: BuiltInPooling = { pooling: 'lasttoken', normalize: true };

/** By the model's name in lower case. */
const FAMILIES: readonly (readonly [name: RegExp, built: BuiltInPooling])[] = [
  [/^all-(minilm-l(6|12)-v[12]|mpnet-base-v[12]|distilroberta-v1|roberta-large-v1)$/, MEAN_NORMALIZED],
  [/^multi-qa-(minilm-l6|distilbert|mpnet-base)-cos-v1$/, MEAN_NORMALIZED],
  [/^multi-qa-(distilbert|mpnet-base)-dot-v1$/, CLS],
  [/^paraphrase-(multilingual-)?(minilm|mpnet|albert|distilroberta)-/, MEAN],
  [/^bge-(small|base|large)-(en|zh)(-v1\.5)?$/, CLS_NORMALIZED],
  [/^bge-m3$/, CLS_NORMALIZED],
  [/^(multilingual-)?e5-(small|base|large)(-v2)?$/, MEAN_NORMALIZED],
  [/^multilingual-e5-large-instruct$/, MEAN_NORMALIZED],
  [/^gte-(small|base|large)$/, MEAN_NORMALIZED],
  [/^gte-(base|large)-en-v1\.5$/, CLS],
  [/^gte-multilingual-base$/, CLS_NORMALIZED],
  [/^gte-modernbert-base$/, CLS],
  [/^nomic-embed-text-v(1|1\.5|2-moe)$/, MEAN],
  [/^modernbert-embed-base$/, MEAN],
  [/^mxbai-embed-large-v1$/, CLS],
  [/^snowflake-arctic-embed-/, CLS_NORMALIZED],
  [/^jina-embeddings-v2-/, MEAN],
  [/^jina-embeddings-v3$/, MEAN_NORMALIZED],
  [/^qwen3-embedding-[\d.]+b$/, LAST_NORMALIZED],
];

/** @returns null for a model of no known family */
export function builtInPooling(source: string): BuiltInPooling | null {
  const name = modelName(source);
  return FAMILIES.find(([family]) => family.test(name))?.[1] ?? null;
}
