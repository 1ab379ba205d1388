import { BootError, type Pooling } from '#contracts';
import { z } from 'zod';
import { builtInPooling } from './built-in-pooling.js';
import { describeEncoder } from './compiler/index.js';
import { accept, parseFile, readClosed, readJson, type KnownMembers } from './config/closed-file.js';
import { readModules, requireRunnable, type SentenceModule } from './config/modules.js';
import { pooling, sentenceBert, sentenceTransformers } from './config/sentence-transformers.js';
import { commonMembers } from './config/transformers.js';
import { promptsOf } from './prompts.js';
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
  const { overrides, source } = files;
  const warnings: string[] = [];
  const warn: Warn = (warning) => warnings.push(warning);
  if (files.adapter !== null) {
    throw new BootError(
      `${files.adapter}: the model is an adapter, which Embedmill does not add to its base model: merge the two ` +
        '(merge_and_unload of the library peft) and save the result',
    );
  }
  const configFile = await readJson(files.config);
  const config = parseFile(configFile, z.object(commonMembers));
  const modules = files.modules === null ? null : readModules(await readJson(files.modules), warn);
  if (files.modules !== null && modules !== null) requireRunnable(modules, files.modules);
  const sentence = await readOptional(files.sentenceBert, sentenceBert, warn);
  const said = { ...(await readOptional(files.sentenceTransformers, sentenceTransformers, warn)) };
  const {
    architecture,
    shape,
    encoder,
    warnings: ofConfig,
  } = describeEncoder(configFile, {
    source,
    weights: files.weights.length > 0,
    onnx: files.onnx !== null,
  });
  ofConfig.forEach(warn);
  for (const module of modules ?? []) judgeClass(module, files, encoder !== null, warn);
  const pooling = await poolingOf(files, encoder !== null, warn);
  return {
    architecture,
    encoder,
    hiddenSize: shape.hiddenSize,
    dimensions: shape.hiddenSize,
    maxTokens: await maxTokensOf(files, shape.positions, sentence?.max_seq_length ?? undefined),
    pooling: pooling.pooling,
    poolingUnknown: pooling.unknown,
    normalize: overrides.normalize ?? modules?.some(({ kind }) => kind === 'Normalize') ?? pooling.normalize,
    ...promptsOf(source, files.sentenceTransformers, said, overrides),
    lowerCase: sentence?.do_lower_case ?? false,
    truncateDim: said.truncate_dim ?? null,
    matryoshka: overrides.matryoshka ?? said.matryoshka_dims ?? config.matryoshka_dimensions ?? [],
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

/**
 * A class of another package, or of the model's own folder, may compute anything. Embedmill does not run it, but the
 * module of that name. An ONNX file holds what the model's own Transformer computes.
 * @throws BootError, one line
 */
function judgeClass({ kind, type }: SentenceModule, { modules }: ModelFiles, compiled: boolean, warn: Warn): void {
  if (type.startsWith('sentence_transformers.')) return;
  const what = `${modules}: type is "${type}"; Embedmill does not run the model's own code`;
  if (compiled || kind !== 'Transformer') throw new BootError(what);
  warn(`${what}; its ONNX file is used as found`);
}

const MODES: readonly Pooling[] = ['cls', 'mean', 'max'];

interface FoundPooling {
  readonly pooling: Pooling;
  /** Why it is only a guess; null: it is not. */
  readonly unknown: string | null;
  /** What the family does, for models without `modules.json`. */
  readonly normalize: boolean;
}

/**
 * The pooling that `models.json` or the file names, else that of the model's family.
 * @param compiled whether a graph is made, which needs it; a found one may have pooled already
 * @throws BootError, one line
 */
async function poolingOf(files: ModelFiles, compiled: boolean, warn: Warn): Promise<FoundPooling> {
  const { overrides, pooling: path, source } = files;
  const family = builtInPooling(source);
  const normalize = family?.normalize ?? false;
  if (overrides.pooling !== undefined) return { pooling: overrides.pooling, unknown: null, normalize };
  if (path !== null) return { pooling: await poolingInFile(path, warn), unknown: null, normalize };
  if (family !== null) return { pooling: family.pooling, unknown: null, normalize };
  const line = JSON.stringify({ NAME: { source: source.replace(/^\w+:/, ''), pooling: 'mean' } });
  const unknown =
    `${source}: no file says how it pools (1_Pooling/config.json). Look for it in the model's description, and write ` +
    `it into models.json (EMBED_MODELS_FILE), as one of ${MODES.join(', ')}: ${line}`;
  if (compiled) throw new BootError(unknown);
  return { pooling: 'mean', unknown, normalize };
}

async function poolingInFile(path: string, warn: Warn): Promise<Pooling> {
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

async function readOptional<Used extends z.ZodRawShape>(
  path: string | null,
  known: KnownMembers<Used>,
  warn: Warn,
): Promise<z.infer<z.ZodObject<Used>> | null> {
  return path === null ? null : accept(readClosed(await readJson(path), known), warn);
}
