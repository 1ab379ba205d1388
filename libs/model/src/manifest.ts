import { BootError, type Pooling, type PoolingMode, poolingModeSchema } from '#contracts';
import { z } from 'zod';
import { builtInPrompts } from './built-in-prompts.js';
import { describeEncoder, poolingModes } from './compiler/index.js';
import { accept, parseFile, readClosed, readJson, type KnownMembers } from './config/closed-file.js';
import {
  dense as denseConfig,
  denseActivation,
  pooling,
  sentenceBert,
  sentenceModule,
  sentenceTransformers,
} from './config/sentence-transformers.js';
import { commonMembers, readConfig } from './config/transformers.js';
import type { DenseFiles, DenseModule, Manifest, ModelFiles } from './types.js';

/** Names of the classes in transformers that the weights are for. */
const classSchema = z.object({ architectures: z.array(z.string()).nullish() });

/** The only member of `tokenizer_config.json` that is used here; the rest is for the tokenizer. */
const tokenizerConfigSchema = z.object({ model_max_length: z.number().positive().nullish() });

/** Used when neither the files nor the position embeddings limit the length of a text. */
const FALLBACK_MAX_TOKENS = 512;

type Warn = (warning: string) => void;

/**
 * Reads a model's manifest from `config.json`, the files of sentence-transformers, and the overrides.
 * @throws BootError, one line, when the files require something that Embedmill does not support
 */
export async function readManifest(files: ModelFiles): Promise<Manifest> {
  const { overrides } = files;
  const warnings: string[] = [];
  const warn: Warn = (warning) => warnings.push(warning);
  const configFile = await readConfig(files.config);
  const config = parseFile(configFile, z.object(commonMembers));
  requireVectors(files, parseFile(configFile, classSchema).architectures ?? []);
  const { dense, normalizes } = await readModules(files, warn);
  const sentence = await readOptional(files.sentenceBert, sentenceBert, warn);
  const { prompts, default_prompt_name, matryoshka_dims } = {
    ...(await readOptional(files.sentenceTransformers, sentenceTransformers, warn)),
  };
  if (default_prompt_name) {
    warn(
      `${files.sentenceTransformers}: default_prompt_name is "${default_prompt_name}"; Embedmill puts a prompt before a ` +
        'text only when a request asks for it by its name',
    );
  }
  const {
    architecture,
    shape,
    encoder,
    warnings: ofConfig,
  } = describeEncoder(configFile, {
    source: files.source,
    weights: files.weights.length > 0,
    onnx: files.onnx !== null,
  });
  ofConfig.forEach(warn);
  const pooled = overrides.pooling ?? (await poolingOf(files.pooling, warn));
  return {
    architecture,
    encoder,
    hiddenSize: shape.hiddenSize,
    dimensions: dimensionsOf(files.source, poolingModes(pooled).length * shape.hiddenSize, dense),
    maxTokens: await maxTokensOf(files, shape.positions, sentence?.max_seq_length ?? undefined),
    pooling: pooled,
    dense,
    normalize: overrides.normalize ?? normalizes,
    prompts: { ...builtInPrompts(files.source), ...nonEmpty(prompts), ...overrides.prompts },
    matryoshka: overrides.matryoshka ?? matryoshka_dims ?? config.matryoshka_dimensions ?? [],
    padTokenId: shape.padTokenId,
    firstPosition: shape.firstPosition,
    warnings,
  };
}

/** @throws BootError for a classifier, such as a cross-encoder, unless the model's files or `models.json` say how it pools */
function requireVectors({ config, modules, overrides, pooling }: ModelFiles, classes: readonly string[]): void {
  const classifier = classes.find((name) => /For(Sequence|Token)Classification$/.test(name));
  if (classifier === undefined || modules !== null || pooling !== null || overrides.pooling !== undefined) return;
  throw new BootError(
    `${config}: architectures is "${classifier}", a classifier or cross-encoder, whose results are not vectors; if the ` +
      'model embeds, set "pooling" for it in models.json',
  );
}

async function maxTokensOf(files: ModelFiles, positions: number, sentence: number | undefined): Promise<number> {
  const asked = files.overrides.maxTokens;
  if (asked !== undefined && asked > positions) {
    throw new BootError(`${files.source}: maxTokens ${asked} is more than its ${positions} positions`);
  }
  const tokenizer =
    files.tokenizerConfig === null ? null : parseFile(await readJson(files.tokenizerConfig), tokenizerConfigSchema);
  const maxTokens = Math.min(asked ?? sentence ?? tokenizer?.model_max_length ?? Infinity, positions);
  return Number.isFinite(maxTokens) ? maxTokens : FALLBACK_MAX_TOKENS;
}

/** Modules that follow pooling. */
interface Modules {
  readonly dense: readonly DenseModule[];
  readonly normalizes: boolean;
}

async function readModules({ modules: path, dense: folders }: ModelFiles, warn: Warn): Promise<Modules> {
  const dense: DenseModule[] = [];
  if (path === null) return { dense, normalizes: false };
  const { json } = await readJson(path);
  const modules = parseFile({ path, json }, z.array(z.unknown())).map((entry) =>
    accept(readClosed({ path, json: entry }, sentenceModule), warn),
  );
  const kinds: string[] = [];
  for (const { path: folder, type } of modules) {
    const kind = /\.(Transformer|Pooling|Dense|Normalize)$/.exec(type)?.[1];
    if (kind === undefined) throw new BootError(`${path}: type is "${type}", a module that Embedmill cannot run`);
    if (!type.startsWith('sentence_transformers.')) {
      warn(`${path}: type is "${type}"; Embedmill does not run the model's own code, but its module of that name`);
    }
    if (kind === 'Dense') {
      if (!kinds.includes('Pooling') || kinds.includes('Normalize')) {
        throw new BootError(
          `${path}: ${folder} is not between pooling and normalisation; Embedmill runs it only there`,
        );
      }
      const files = folders.find((one) => one.folder === folder);
      if (files === undefined)
        throw new BootError(`${path}: path is "${folder}", but there is no ${folder}/config.json`);
      dense.push(await readDense(files, warn));
    }
    kinds.push(kind);
  }
  return { dense, normalizes: kinds.includes('Normalize') };
}

async function readDense({ folder, config, weights }: DenseFiles, warn: Warn): Promise<DenseModule> {
  const value = accept(readClosed(await readJson(config), denseConfig), warn);
  if (weights === null) throw new BootError(`${config}: there is no model.safetensors beside it`);
  return {
    folder,
    config,
    weights,
    inputs: value.in_features,
    outputs: value.out_features,
    bias: value.bias,
    activation: denseActivation(value.activation_function),
    residual: value.use_residual,
  };
}

/** Floats in the vector after all modules. @throws BootError when a module does not fit the one before it */
function dimensionsOf(source: string, pooled: number, modules: readonly DenseModule[]): number {
  let dimensions = pooled;
  for (const { folder, inputs, outputs } of modules) {
    if (inputs !== dimensions) {
      throw new BootError(`${source}: ${folder} takes vectors of ${inputs} floats, but gets ${dimensions}`);
    }
    dimensions = outputs;
  }
  return dimensions;
}

/** The pooling in the file; without a file, mean, as in sentence-transformers. The caller checks overrides first. */
async function poolingOf(path: string | null, warn: Warn): Promise<Pooling> {
  if (path === null) return 'mean';
  const config = accept(readClosed(await readJson(path), pooling), warn);
  const asked = config.pooling_mode === undefined ? oldModes(config) : [config.pooling_mode].flat();
  const known: readonly string[] = poolingModeSchema.options;
  if (asked.length === 0 || asked.some((mode) => !known.includes(mode))) {
    const wanted = asked.length === 0 ? 'no pooling' : asked.join(' and ');
    throw new BootError(`${path}: asks for ${wanted}; Embedmill pools by ${known.join(', ')}, or several of them`);
  }
  return asked.join('+');
}

/** In the order in which sentence-transformers concatenates them. */
function oldModes(config: z.infer<z.ZodObject<typeof pooling.used>>): PoolingMode[] {
  const modes: Record<PoolingMode, boolean> = {
    cls: config.pooling_mode_cls_token,
    max: config.pooling_mode_max_tokens,
    mean: config.pooling_mode_mean_tokens,
    mean_sqrt_len_tokens: config.pooling_mode_mean_sqrt_len_tokens,
    weightedmean: config.pooling_mode_weightedmean_tokens,
    lasttoken: config.pooling_mode_lasttoken,
  };
  return poolingModeSchema.options.filter((mode) => modes[mode]);
}

function nonEmpty(prompts: Readonly<Record<string, string>> | null | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(prompts ?? {}).filter(([, prompt]) => prompt !== ''));
}

async function readOptional<Used extends z.ZodRawShape>(
  path: string | null,
  known: KnownMembers<Used>,
  warn: Warn,
): Promise<z.infer<z.ZodObject<Used>> | null> {
  return path === null ? null : accept(readClosed(await readJson(path), known), warn);
}
