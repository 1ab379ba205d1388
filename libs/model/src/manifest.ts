import { BootError } from '#contracts';
import { z } from 'zod';
import type { EncoderShape } from './compiler/architectures/architecture.js';
import { describeEncoder, poolingModes } from './compiler/index.js';
import { accept, parseFile, readClosed, readJson, type KnownMembers } from './config/closed-file.js';
import { readModules, requireRunnable, type SentenceModule } from './config/modules.js';
import { sentenceBert, sentenceTransformers } from './config/sentence-transformers.js';
import { commonMembers, readConfig } from './config/transformers.js';
import { densesOf, dimensionsOf } from './dense-modules.js';
import { poolingOf } from './pooling.js';
import { promptsOf } from './prompts.js';
import { readStatic } from './static-model.js';
import type { Manifest, ModelFiles } from './types.js';

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
  const { overrides, source } = files;
  const warnings: string[] = [];
  const warn: Warn = (warning) => warnings.push(warning);
  if (files.adapter !== null) {
    throw new BootError(
      `${files.adapter}: the model is an adapter, which Embedmill does not add to its base model: merge the two ` +
        '(merge_and_unload of the library peft) and save the result',
    );
  }
  const modules = files.modules === null ? null : readModules(await readJson(files.modules), warn);
  if (files.modules !== null && modules !== null) requireRunnable(modules, files.modules);
  const said = { ...(await readOptional(files.sentenceTransformers, sentenceTransformers, warn)) };
  const { encoder, matryoshka, normalize, shape, ...body } = await readBody(files, modules ?? [], warn);
  const dense = await densesOf(modules ?? [], files, warn);
  return {
    ...body,
    encoder,
    hiddenSize: shape.hiddenSize,
    dimensions: dimensionsOf(files.source, poolingModes(body.pooling).length * shape.hiddenSize, dense),
    dense,
    normalize: overrides.normalize ?? modules?.some(({ kind }) => kind === 'Normalize') ?? normalize,
    ...promptsOf(source, files.sentenceTransformers, said, overrides),
    truncateDim: said.truncate_dim ?? null,
    matryoshka: overrides.matryoshka ?? said.matryoshka_dims ?? matryoshka,
    padTokenId: shape.padTokenId,
    firstPosition: shape.firstPosition,
    warnings,
  };
}

/** What the first module's files say: those of an encoder, or of a table of tokens' vectors. */
interface Body extends Pick<
  Manifest,
  | 'architecture'
  | 'encoder'
  | 'includePrompt'
  | 'lowerCase'
  | 'matryoshka'
  | 'maxTokens'
  | 'pooling'
  | 'poolingUnknown'
  | 'takesEmpty'
> {
  readonly shape: EncoderShape;
  /** For models without `modules.json`. */
  readonly normalize: boolean;
}

async function readBody(files: ModelFiles, modules: readonly SentenceModule[], warn: Warn): Promise<Body> {
  if (files.isStatic) {
    const table = await readStatic(files, warn);
    for (const module of modules) judgeClass(module, files, true, warn);
    return { ...table, shape: table.encoder, lowerCase: false, matryoshka: [] };
  }
  return readEncoder(files, modules, warn);
}

async function readEncoder(files: ModelFiles, modules: readonly SentenceModule[], warn: Warn): Promise<Body> {
  if (files.config === null) throw new BootError(`${files.source}: no config.json`);
  const configFile = await readConfig(files.config);
  const config = parseFile(configFile, z.object(commonMembers));
  requireVectors(files, parseFile(configFile, classSchema).architectures ?? []);
  const sentence = await readOptional(files.sentenceBert, sentenceBert, warn);
  const { warnings, ...described } = describeEncoder(configFile, {
    source: files.source,
    weights: files.weights.length > 0,
    onnx: files.onnx !== null,
  });
  warnings.forEach(warn);
  const compiled = described.encoder !== null;
  for (const module of modules) judgeClass(module, files, compiled, warn);
  const { unknown: poolingUnknown, ...pooled } = await poolingOf(files, compiled, warn);
  return {
    ...described,
    maxTokens: await maxTokensOf(files, described.shape.positions, sentence?.max_seq_length ?? undefined),
    ...pooled,
    poolingUnknown,
    lowerCase: sentence?.do_lower_case ?? false,
    takesEmpty: false,
    matryoshka: config.matryoshka_dimensions ?? [],
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

async function readOptional<Used extends z.ZodRawShape>(
  path: string | null,
  known: KnownMembers<Used>,
  warn: Warn,
): Promise<z.infer<z.ZodObject<Used>> | null> {
  return path === null ? null : accept(readClosed(await readJson(path), known), warn);
}
