import { BootError } from '#contracts';
import { z } from 'zod';
import { STATIC_NAME, staticEncoder } from './compiler/index.js';
import { accept, type KnownMembers, parseFile, readClosed, readJson } from './config/closed-file.js';
import type { Manifest, ModelFiles } from './types.js';

/**
 * Most tokens of a text, where neither the tokenizer nor `models.json` has a limit: sentence-transformers has none. A
 * text takes memory for all its tokens' vectors at once: 128 MiB for this many of 1,024 floats.
 */
const MOST_TOKENS = 32_768;

/** `config.json` of model2vec, which counts where there is no `modules.json`. */
const model2vec = {
  used: { normalize: z.boolean().nullish() },
  only: { model_type: ['model2vec'] },
  harmless: [
    'architectures',
    'tokenizer_name',
    'tokenizer_type',
    'hidden_dim',
    'embedding_dtype',
    'seq_length',
    'transformers_version',
    'torch_dtype',
    // How the table was made.
    'apply_pca',
    'pca_dims',
    'apply_zipf',
    'sif_coefficient',
    'token_remove_pattern',
    'vocabulary_quantization',
  ],
} satisfies KnownMembers<z.ZodRawShape>;

/** Of tables, sentence-transformers leaves the tokenizer's own truncation on. */
const tokenizerSchema = z.object({ truncation: z.object({ max_length: z.int().positive() }).nullish() });

type OfStatic = Pick<
  Manifest,
  'architecture' | 'encoder' | 'includePrompt' | 'maxTokens' | 'pooling' | 'poolingUnknown' | 'takesEmpty'
>;

/** What a static model's files say. @throws BootError, one line */
export async function readStatic(
  files: ModelFiles,
  warn: (warning: string) => void,
): Promise<OfStatic & { readonly encoder: NonNullable<Manifest['encoder']>; readonly normalize: boolean }> {
  const { overrides, source } = files;
  if (overrides.pooling !== undefined && overrides.pooling !== 'mean') {
    throw new BootError(`${source}: pooling is "${overrides.pooling}"; a table of tokens' vectors is pooled by mean`);
  }
  const config = files.config === null ? null : accept(readClosed(await readJson(files.config), model2vec), warn);
  const { truncation } = parseFile(await readJson(files.tokenizer), tokenizerSchema);
  return {
    architecture: STATIC_NAME,
    encoder: await staticEncoder(files.weights),
    maxTokens: overrides.maxTokens ?? truncation?.max_length ?? MOST_TOKENS,
    pooling: 'mean',
    // sentence-transformers has no such setting for tables.
    includePrompt: true,
    poolingUnknown: null,
    takesEmpty: true,
    normalize: config?.normalize ?? false,
  };
}
