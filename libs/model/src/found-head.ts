import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BootError } from '#contracts';
import { z } from 'zod';
import type { Answers } from './compiler/heads/next-token.js';
import type { SpladePooling } from './compiler/heads/splade.js';
import { accept, type JsonFile, parseFile, readClosed, readJson } from './config/closed-file.js';
import { readModules, type SentenceModule } from './config/modules.js';
import { logitScore, spladePooling } from './config/sentence-transformers.js';
import { modelName } from './model-name.js';
import type { ModelFiles } from './types.js';

type Warn = (warning: string) => void;

/** What a checkpoint computes after its hidden states. */
export type FoundHead =
  /** A vector of each text, by pooling. */
  | { readonly kind: 'vector' }
  /** bge-m3: a vector of each text, and beside it a weight and a vector of each token, by layers in files of their own. */
  | { readonly kind: 'vector and tokens'; readonly sparse: string; readonly vectors: string }
  /** Logits of a text or a pair. */
  | { readonly kind: 'classifier'; readonly labels: number; readonly className: string }
  /** A language model's answer to a question about a pair. */
  | { readonly kind: 'next token'; readonly answers: Answers }
  /** A weight for each word of the vocabulary. */
  | { readonly kind: 'splade'; readonly pooling: SpladePooling }
  /** Something that Embedmill has no head for. */
  | { readonly kind: 'unknown'; readonly className: string };

/** The head that a checkpoint was saved with, which has a `config.json`. `models.json` makes an embedding model of one by naming a pooling. */
export async function findHead(files: ModelFiles, config: JsonFile, warn: Warn): Promise<FoundHead> {
  const { architectures } = parseFile(config, classMembers);
  const modules = files.modules === null ? [] : readModules(await readJson(files.modules));
  const last = modules.at(-1);
  if (last?.kind === 'SpladePooling') return { kind: 'splade', pooling: await spladeOf(files, modules, warn) };
  if (last?.kind === 'LogitScore') return { kind: 'next token', answers: await answersOf(files, modules, warn) };
  const pools = modules.length > 1 || files.pooling !== null || files.overrides.pooling !== undefined;
  const classes = architectures ?? [];
  const classifier = classes.find((name) => name.endsWith('ForSequenceClassification'));
  if (classifier !== undefined && !pools) {
    const { id2label, num_labels } = parseFile(config, labelMembers);
    const labels = id2label ? Object.keys(id2label).length : (num_labels ?? 2);
    return { kind: 'classifier', labels, className: classifier };
  }
  const unknown = classes.find((name) => name.endsWith('ForTokenClassification'));
  if (unknown !== undefined && !pools) return { kind: 'unknown', className: unknown };
  const words = REPLIES.find(([name]) => name.test(modelName(files.source)))?.[1];
  if (words !== undefined && !pools && classes.some((name) => name.endsWith('ForCausalLM'))) {
    return { kind: 'next token', answers: await tokensOf(files, words) };
  }
  const [sparse, vectors] = await Promise.all([besideOf(config, 'sparse_linear'), besideOf(config, 'colbert_linear')]);
  return sparse === null || vectors === null ? { kind: 'vector' } : { kind: 'vector and tokens', sparse, vectors };
}

/** Names of the classes in transformers that the weights are for. */
const classMembers = z.object({ architectures: z.array(z.string()).nullish() });

/** Read of classifiers only. Without either, transformers makes two labels. */
const labelMembers = z.object({
  id2label: z.record(z.string(), z.unknown()).nullish(),
  num_labels: z.int().positive().nullish(),
});

/** Answers of rerankers without `modules.json`, which their descriptions give, by the model's name in lower case. */
const REPLIES: readonly (readonly [name: RegExp, words: readonly [yes: string, no: string]])[] = [
  [/^qwen3-reranker-/, ['yes', 'no']],
  [/^mxbai-rerank-(base|large)-v2$/, ['1', '0']],
];

async function spladeOf(files: ModelFiles, modules: readonly SentenceModule[], warn: Warn): Promise<SpladePooling> {
  const config = await ownConfig(files, modules, ['Transformer', 'MLMTransformer']);
  const value = accept(readClosed(config, spladePooling), warn);
  return { strategy: value.pooling_strategy, activation: value.activation_function };
}

async function answersOf(files: ModelFiles, modules: readonly SentenceModule[], warn: Warn): Promise<Answers> {
  const value = accept(readClosed(await ownConfig(files, modules, ['Transformer']), logitScore), warn);
  return { yes: value.true_token_id, no: value.false_token_id ?? null };
}

/** The settings of the last of two modules. @throws BootError when the first one is none of those */
async function ownConfig(
  { head, modules: path }: ModelFiles,
  modules: readonly SentenceModule[],
  first: readonly string[],
): Promise<JsonFile> {
  const [body, last] = modules;
  if (modules.length !== 2 || !first.includes(body!.kind)) {
    const kinds = modules.map(({ kind }) => kind).join(', ');
    throw new BootError(
      `${path}: its modules are ${kinds}; before ${modules.at(-1)!.kind} Embedmill runs only ${first[0]}`,
    );
  }
  if (head === null) throw new BootError(`${path}: path is "${last!.path}", but there is no ${last!.path}/config.json`);
  return readJson(head);
}

/** The ids of two words in `tokenizer.json`. */
async function tokensOf({ tokenizer }: ModelFiles, [yes, no]: readonly [string, string]): Promise<Answers> {
  const file = await readJson(tokenizer);
  const { model } = parseFile(file, z.object({ model: z.object({ vocab: z.record(z.string(), z.int()) }) }));
  const idOf = (word: string): number => {
    const id = model.vocab[word];
    if (id === undefined) throw new BootError(`${file.path}: model.vocab has no "${word}", one of the model's answers`);
    return id;
  };
  return { yes: idOf(yes), no: idOf(no) };
}

/** A file with a layer of bge-m3, beside `config.json`; null when there is none. */
async function besideOf({ path: config }: JsonFile, name: string): Promise<string | null> {
  for (const end of ['safetensors', 'pt']) {
    const path = join(dirname(config), `${name}.${end}`);
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return null;
}
