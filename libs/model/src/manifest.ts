import { BootError, type Pooling } from '#contracts';
import { z } from 'zod';
import { builtInPrompts } from './built-in-prompts.js';
import { describeEncoder } from './compiler/index.js';
import { accept, parseFile, readClosed, readJson, type KnownMembers } from './config/closed-file.js';
import { pooling, sentenceBert, sentenceModule, sentenceTransformers } from './config/sentence-transformers.js';
import { commonMembers, readConfig } from './config/transformers.js';
import type { Manifest, ModelFiles } from './types.js';

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
  const normalizes = await readModules(files.modules, warn);
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
  return {
    architecture,
    encoder,
    hiddenSize: shape.hiddenSize,
    dimensions: shape.hiddenSize,
    maxTokens: await maxTokensOf(files, shape.positions, sentence?.max_seq_length ?? undefined),
    pooling: overrides.pooling ?? (await poolingOf(files.pooling, warn)),
    normalize: overrides.normalize ?? normalizes,
    prompts: { ...builtInPrompts(files.source), ...nonEmpty(prompts), ...overrides.prompts },
    matryoshka: overrides.matryoshka ?? matryoshka_dims ?? config.matryoshka_dimensions ?? [],
    padTokenId: shape.padTokenId,
    firstPosition: shape.firstPosition,
    warnings,
  };
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

/** @returns whether `modules.json` has a module that normalises */
async function readModules(path: string | null, warn: Warn): Promise<boolean> {
  if (path === null) return false;
  const { json } = await readJson(path);
  const types = parseFile({ path, json }, z.array(z.unknown())).map(
    (entry) => accept(readClosed({ path, json: entry }, sentenceModule), warn).type,
  );
  for (const type of types) {
    if (!/\.(Transformer|Pooling|Normalize)$/.test(type)) {
      throw new BootError(`${path}: type is "${type}", a module that Embedmill cannot run`);
    }
    if (!type.startsWith('sentence_transformers.')) {
      warn(`${path}: type is "${type}"; Embedmill does not run the model's own code, but its module of that name`);
    }
  }
  return types.some((type) => type.endsWith('.Normalize'));
}

const MODES: readonly Pooling[] = ['cls', 'mean', 'max'];

/** The pooling in the file; without a file, mean, as in sentence-transformers. The caller checks overrides first. */
async function poolingOf(path: string | null, warn: Warn): Promise<Pooling> {
  if (path === null) return 'mean';
  const config = accept(readClosed(await readJson(path), pooling), warn);
  const asked = config.pooling_mode === undefined ? oldModes(config) : [config.pooling_mode].flat();
  const mode = MODES.find((known) => known === asked[0]);
  if (mode === undefined || asked.length > 1) {
    const wanted = asked.length === 0 ? 'no pooling' : asked.join(' and ');
    throw new BootError(`${path}: asks for ${wanted}; Embedmill pools by one of ${MODES.join(', ')}`);
  }
  return mode;
}

function oldModes(config: z.infer<z.ZodObject<typeof pooling.used>>): Pooling[] {
  const modes: Pooling[] = [];
  if (config.pooling_mode_cls_token) modes.push('cls');
  if (config.pooling_mode_mean_tokens) modes.push('mean');
  if (config.pooling_mode_max_tokens) modes.push('max');
  return modes;
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
