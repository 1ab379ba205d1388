import { BootError } from '#contracts';
import { z } from 'zod';
import type { EncoderShape } from './compiler/architectures/architecture.js';
import { describeEncoder, poolingModes } from './compiler/index.js';
import { accept, type JsonFile, parseFile, readClosed, readJson, type KnownMembers } from './config/closed-file.js';
import { readModules, requireRunnable, type SentenceModule } from './config/modules.js';
import { sentenceBert, sentenceTransformers } from './config/sentence-transformers.js';
import { commonMembers, readConfig } from './config/transformers.js';
import { densesOf, dimensionsOf } from './dense-modules.js';
import { type DeviceMemory, deviceMemory } from './device-memory.js';
import { poolingOf } from './pooling.js';
import { findHead, type FoundHead } from './found-head.js';
import { promptsOf } from './prompts.js';
import { servedTokens } from './served-tokens.js';
import { promptsForTask, taskOf } from './task.js';
import { readStatic } from './static-model.js';
import type { Manifest, ModelFiles } from './types.js';

/** The only member of `tokenizer_config.json` that is used here; the rest is for the tokenizer. */
const tokenizerConfigSchema = z.object({ model_max_length: z.number().positive().nullish() });

/** Used when neither the files nor the position embeddings limit the length of a text. */
const FALLBACK_MAX_TOKENS = 512;

type Warn = (warning: string) => void;

/**
 * Reads a model's manifest from `config.json`, the files of sentence-transformers, and the overrides.
 * @param memory what attention may take; it limits the length of texts
 * @throws BootError, one line, when the files require something that Embedmill does not support
 */
export async function readManifest(files: ModelFiles, memory = deviceMemory('cpu')): Promise<Manifest> {
  const { overrides, source } = files;
  const warnings: string[] = [];
  const warn: Warn = (warning) => warnings.push(warning);
  const configFile = files.config === null ? null : await readConfig(files.config);
  if (configFile !== null && !files.isStatic) requireVectors(files, await findHead(files, configFile, warn));
  const modules = files.modules === null ? null : readModules(await readJson(files.modules), warn);
  if (files.modules !== null && modules !== null) requireRunnable(modules, files.modules);
  const said = { ...(await readOptional(files.sentenceTransformers, sentenceTransformers, warn)) };
  const { encoder, matryoshka, normalize, shape, ...body } = await readBody(
    files,
    configFile,
    modules ?? [],
    memory,
    warn,
  );
  const dense = await densesOf(modules ?? [], files, warn);
  const task = configFile === null ? null : taskOf(configFile, overrides.task, source);
  if (task !== null && encoder !== null) {
    throw new BootError(`${source}: task is set in models.json, but only an ONNX file with an input task_id has tasks`);
  }
  const prompts = promptsOf(source, files.sentenceTransformers, said, overrides, warn);
  return {
    ...body,
    encoder,
    hiddenSize: shape.hiddenSize,
    dimensions: dimensionsOf(files.source, poolingModes(body.pooling).length * shape.hiddenSize, dense),
    attention: { ...shape.attention(memory.provider), bytes: memory.bytes },
    dense,
    normalize: overrides.normalize ?? modules?.some(({ kind }) => kind === 'Normalize') ?? normalize,
    ...promptsForTask(prompts, task, overrides.defaultPrompt !== undefined, source),
    truncateDim: said.truncate_dim ?? null,
    matryoshka: overrides.matryoshka ?? said.matryoshka_dims ?? matryoshka,
    padTokenId: shape.padTokenId,
    firstPosition: shape.firstPosition,
    task: task?.id ?? null,
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

async function readBody(
  files: ModelFiles,
  configFile: JsonFile | null,
  modules: readonly SentenceModule[],
  memory: DeviceMemory,
  warn: Warn,
): Promise<Body> {
  if (files.isStatic) {
    const table = await readStatic(files, warn);
    for (const module of modules) judgeClass(module, files, true, warn);
    return { ...table, shape: table.encoder, lowerCase: false, matryoshka: [] };
  }
  if (configFile === null) throw new BootError(`${files.source}: no config.json`);
  return readEncoder(files, configFile, modules, memory, warn);
}

async function readEncoder(
  files: ModelFiles,
  configFile: JsonFile,
  modules: readonly SentenceModule[],
  memory: DeviceMemory,
  warn: Warn,
): Promise<Body> {
  const config = parseFile(configFile, z.object(commonMembers));
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
  const { attention, positions } = described.shape;
  const limits = {
    source: files.source,
    positions,
    asked: files.overrides.maxTokens,
    said: await lengthSaid(files, sentence?.max_seq_length ?? undefined, positions),
    attention: attention(memory.provider),
  };
  return {
    ...described,
    maxTokens: servedTokens(limits, memory, warn),
    ...pooled,
    poolingUnknown,
    lowerCase: sentence?.do_lower_case ?? false,
    takesEmpty: false,
    matryoshka: config.matryoshka_dimensions ?? [],
  };
}

/** @throws BootError, one line, for a model whose results are not vectors */
function requireVectors({ config, modules, source }: ModelFiles, head: FoundHead): void {
  if (head.kind === 'vector' || head.kind === 'vector and tokens') return;
  if (head.kind === 'splade') {
    throw new BootError(
      `${modules}: its modules end with SpladePooling, a sparse encoder, whose results are not vectors`,
    );
  }
  if (head.kind === 'next token') {
    throw new BootError(
      `${source}: a language model that answers with a token, such as a reranker, whose results are not vectors`,
    );
  }
  throw new BootError(
    `${config}: architectures is "${head.className}", a classifier or cross-encoder, whose results are not vectors; if the ` +
      'model embeds, set "pooling" for it in models.json',
  );
}

/** The longest text according to the files of sentence-transformers or of the tokenizer, if the encoder does not say. */
async function lengthSaid(files: ModelFiles, sentence: number | undefined, positions: number): Promise<number> {
  const tokenizer =
    files.tokenizerConfig === null ? null : parseFile(await readJson(files.tokenizerConfig), tokenizerConfigSchema);
  const said = sentence ?? tokenizer?.model_max_length ?? Infinity;
  return Number.isFinite(Math.min(said, positions)) ? said : FALLBACK_MAX_TOKENS;
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
