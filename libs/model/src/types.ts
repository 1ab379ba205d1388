import type { Dtype, ModelCard, Pooling } from '#contracts';
import type { DenseActivation } from './config/sentence-transformers.js';
import type { Encoder } from './compiler/architectures/architecture.js';
import type { AttentionMemory } from './compiler/layers/attention-memory.js';

/** Settings from `models.json` or from a package that override the model's own files. */
export interface ManifestOverrides {
  readonly pooling?: Pooling | undefined;
  readonly maxTokens?: number | undefined;
  readonly normalize?: boolean | undefined;
  readonly prompts?: Readonly<Record<string, string>> | undefined;
  readonly matryoshka?: readonly number[] | undefined;
  /** null: none, whatever the files say. */
  readonly defaultPrompt?: string | null | undefined;
  /** Contains `{instruction}`; null: instructions are not supported. */
  readonly instruction?: string | null | undefined;
  /** For models with an adapter for each task: the one that is served, by name or number. */
  readonly task?: string | number | undefined;
  /** 1: no text shares a run with another one, so that its vector cannot depend on them. */
  readonly rowsPerBatch?: 1 | undefined;
}

/** Files of a Dense module of sentence-transformers, which multiplies the pooled vector by a matrix. */
export interface DenseFiles {
  /** Name of its folder, by which `modules.json` refers to it. */
  readonly folder: string;
  readonly config: string;
  /** safetensors; null when there is none. */
  readonly weights: string | null;
}

/** A Dense module: `activation(row x matrix + bias)`, plus its input if `residual`. */
export interface DenseModule {
  readonly folder: string;
  /** Absolute paths. */
  readonly config: string;
  readonly weights: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly bias: boolean;
  readonly activation: DenseActivation;
  readonly residual: boolean;
}

/** Absolute paths of a model's files; null for a missing file. */
export interface ModelFiles {
  /** Name of the model's source, for messages: `npm:…`, `folder:…`, `hub:id@commit`. */
  readonly source: string;
  /** Whether the weights are only a table of tokens' vectors. */
  readonly isStatic: boolean;
  /** null only for static models, which need none. */
  readonly config: string | null;
  readonly tokenizer: string;
  readonly tokenizerConfig: string | null;
  /** Special tokens and added tokens in files of their own, as older versions of transformers wrote them. */
  readonly specialTokensMap: string | null;
  readonly addedTokens: string | null;
  /** safetensors, one or several shards; empty when there is only ONNX. */
  readonly weights: readonly string[];
  readonly onnx: string | null;
  /** sentence-transformers' own files. */
  readonly modules: string | null;
  readonly pooling: string | null;
  /** Settings of a module that stands where others have Pooling, such as SpladePooling. */
  readonly head: string | null;
  /** Those of the Dense modules that `modules.json` names. */
  readonly dense: readonly DenseFiles[];
  readonly sentenceBert: string | null;
  readonly sentenceTransformers: string | null;
  readonly overrides: ManifestOverrides;
  /** Numbers of the graph that the files are for. */
  readonly dtype: Dtype;
  /** About the choice of these files, one line each. */
  readonly warnings: readonly string[];
}

/** How to run a model, according to its files. */
export interface Manifest {
  /** Name of one of the compiler's architectures, or `other`. Part of the fingerprint. */
  readonly architecture: string;
  /** Writes the model's graph; null when its ONNX file is used. */
  readonly encoder: Encoder | null;
  readonly hiddenSize: number;
  /** Floats in the model's vector: after pooling and Dense modules. */
  readonly dimensions: number;
  /** Maximum length of an input, special tokens and prompt included. */
  readonly maxTokens: number;
  readonly attention: AttentionBudget;
  readonly pooling: Pooling;
  /** Whether the tokens of a prompt are pooled with those of the text. Part of the fingerprint if they are not. */
  readonly includePrompt: boolean;
  /** Modules between pooling and normalisation, in order. */
  readonly dense: readonly DenseModule[];
  /** Why `pooling` is only a guess, in one line that says what to do: then no graph may use it. null: it is known. */
  readonly poolingUnknown: string | null;
  readonly normalize: boolean;
  readonly prompts: Readonly<Record<string, string>>;
  /** Name of the prompt of requests that ask for none; null: they get none. */
  readonly defaultPrompt: string | null;
  /** The prompt of requests with an instruction, in place of `{instruction}`; null: not supported. */
  readonly instruction: string | null;
  /** Whether texts are lower-cased before the tokenizer gets them. Part of the fingerprint if they are. */
  readonly lowerCase: boolean;
  /** Vector length of requests without `dimensions`; null: all. */
  readonly truncateDim: number | null;
  readonly matryoshka: readonly number[];
  readonly padTokenId: number;
  /** Whether a text without any token has a vector, that of one padding token. */
  readonly takesEmpty: boolean;
  /** Value of `position_ids` for the first token, in graphs with that input. */
  readonly firstPosition: number;
  /** Number of the task that is served, for graphs that ask for one; null: none was set. */
  readonly task: number | null;
  /** Settings in the model's files that Embedmill ignores, one line each. */
  readonly warnings: readonly string[];
}

/** Parsed `tokenizer.json`, as the model's other files change it, and `tokenizer_config.json`, for the tokenizer and, through the registry, for the API. */
export interface TokenizerFiles {
  readonly tokenizer: unknown;
  readonly config: unknown;
}

/** An input that does not depend on token ids, filled with one value: a decoder's empty cache, or the id of a task. */
export interface ExtraInput {
  readonly name: string;
  readonly type: 'int64' | 'int32' | 'float' | 'float16' | 'bool';
  /** `rows` and `tokens` stand for the batch's sizes. */
  readonly dims: readonly (number | 'rows' | 'tokens')[];
  readonly value: number;
}

/** Sizes that every run of a graph has, whatever the batch: it is cut and padded to them. */
export interface RunShape {
  /** Exactly so many rows. null: those of the batch. */
  readonly rows: number | null;
  /** Exactly so many tokens. null: those of the longest row of the run. */
  readonly tokens: number | null;
  /** Token id for padding. */
  readonly padId: number;
}

/**
 * Input, int64 or int32 `[rows]`, of graphs that leave the prompt out of pooling: how many tokens a row's prompt has, with those
 * before it.
 */
export const PROMPT_TOKENS = 'prompt_tokens';

/** How to call a graph. Inputs are int64 or int32 `[rows, tokens]`. */
export interface GraphInterface {
  /** Some of `input_ids`, `attention_mask`, `token_type_ids`, `position_ids`, and `prompt_tokens`. */
  readonly inputs: readonly string[];
  /** Further inputs. Default: none. */
  readonly extraInputs?: readonly ExtraInput[];
  /** Value of `position_ids` for the first token. Default: 0. Otherwise that of padding tokens, not counted, is 1 less. */
  readonly firstPosition?: number;
  /** Default: each batch is one run. */
  readonly runShape?: RunShape;
  /** Name of the output, float32 `[rows, width]`. */
  readonly output: string;
  /** Floats in a row. */
  readonly width: number;
}

/** A graph ready for ONNX Runtime. */
export interface Graph {
  readonly onnxPath: string;
  readonly graph: GraphInterface;
}

/** A graph, and the absolute paths of the model's files that determine its numbers. */
export interface SourcedGraph extends Graph {
  readonly sources: readonly string[];
  /** What the fingerprint must contain besides files and manifest; empty for most graphs. */
  readonly extras: Readonly<Record<string, unknown>>;
}

/** A graph that was found, not compiled. */
export interface AdoptedGraph extends SourcedGraph {
  /** Maximum length of an input: the manifest's, or less where the graph takes less. */
  readonly maxTokens: number;
  /** One line each. */
  readonly warnings: readonly string[];
}

/** What a graph's attention holds, and what the attention of one batch may take: at least what a text of `maxTokens` needs. */
export interface AttentionBudget extends AttentionMemory {
  readonly bytes: number;
}

/** A model with everything that is needed to run it. */
export interface RunnableModel extends Graph {
  readonly card: ModelCard;
  readonly padTokenId: number;
  readonly attention: AttentionBudget;
  /** Whether a text without any token has a vector, that of one padding token. Default: false. */
  readonly takesEmpty?: boolean;
  readonly tokenizerFiles: TokenizerFiles;
  /** Settings in the model's files that Embedmill ignores, one line each. */
  readonly warnings: readonly string[];
}
