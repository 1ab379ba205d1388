import type { ModelCard, Pooling } from '#contracts';
import type { Encoder } from './compiler/architectures/architecture.js';

/** What `models.json` or a package may say in place of the model's own files. */
export interface ManifestOverrides {
  readonly pooling?: Pooling | undefined;
  readonly maxTokens?: number | undefined;
  readonly normalize?: boolean | undefined;
  readonly prompts?: Readonly<Record<string, string>> | undefined;
  readonly matryoshka?: readonly number[] | undefined;
}

/** A model's files on disk, absolute paths; null for what it does not have. */
export interface ModelFiles {
  /** For people: `npm:…`, `folder:…`, `hub:id@revision`. */
  readonly source: string;
  readonly config: string;
  readonly tokenizer: string;
  readonly tokenizerConfig: string | null;
  /** safetensors, one or several shards; empty when there is only ONNX. */
  readonly weights: readonly string[];
  readonly onnx: string | null;
  /** sentence-transformers' own files. */
  readonly modules: string | null;
  readonly pooling: string | null;
  readonly sentenceBert: string | null;
  readonly sentenceTransformers: string | null;
  readonly overrides: ManifestOverrides;
}

/** A manifest is what a model's files say about how to run it. */
export interface Manifest {
  /** Of the compiler's registry, or `other`. Part of the fingerprint. */
  readonly architecture: string;
  /** Writes the model's graph; null where its ONNX file is used. */
  readonly encoder: Encoder | null;
  readonly hiddenSize: number;
  /** Floats in the pooled vector. */
  readonly dimensions: number;
  /** Special tokens and prompt included. */
  readonly maxTokens: number;
  readonly pooling: Pooling;
  readonly normalize: boolean;
  readonly prompts: Readonly<Record<string, string>>;
  readonly matryoshka: readonly number[];
  readonly padTokenId: number;
  /** What graphs that ask for `position_ids` expect for the first token. */
  readonly firstPosition: number;
  /** Members of the model's files that Embedmill goes on without, one line each. */
  readonly warnings: readonly string[];
}

/** Parsed `tokenizer.json` and `tokenizer_config.json`, as they go to the tokenizer and, announced, to the API. */
export interface TokenizerFiles {
  readonly tokenizer: unknown;
  readonly config: unknown;
}

/** An input beside those made of token ids, with one value throughout: an empty cache of a decoder, the id of a task. */
export interface ExtraInput {
  readonly name: string;
  readonly type: 'int64' | 'int32' | 'float';
  /** `rows` and `tokens` are the batch's. */
  readonly dims: readonly (number | 'rows' | 'tokens')[];
  readonly value: number;
}

/** How to call a graph. Inputs are int64 `[rows, tokens]`. */
export interface GraphInterface {
  /** Of `input_ids`, `attention_mask`, `token_type_ids`, `position_ids`. */
  readonly inputs: readonly string[];
  /** Inputs beside these. Default: none. */
  readonly extraInputs?: readonly ExtraInput[];
  /** float32 `[rows, width]`. */
  readonly output: string;
  /** Floats of a row. */
  readonly width: number;
}

/** A graph ready for ONNX Runtime. */
export interface Graph {
  readonly onnxPath: string;
  readonly graph: GraphInterface;
}

/** A graph and the files of the model that its numbers come from, absolute paths. */
export interface SourcedGraph extends Graph {
  readonly sources: readonly string[];
}

/** A model with everything that is needed to run it. */
export interface RunnableModel extends Graph {
  readonly card: ModelCard;
  readonly padTokenId: number;
  readonly tokenizerFiles: TokenizerFiles;
  /** Members of the model's files that Embedmill goes on without, one line each. */
  readonly warnings: readonly string[];
}
