import { createHash } from 'node:crypto';
import type { Dtype } from '#contracts';
import { COMPILER_VERSION } from './compiler/index.js';
import { fileDigest } from './file-digest.js';
import type { DriverName } from './tokenizer/drivers/driver.js';
import { tokenizerRules } from './tokenizer/tokenizer-rules.js';
import type { Manifest, ModelFiles, TokenizerFiles } from './types.js';

/**
 * 32 hex digits that identify everything that a vector before normalisation depends on, except text, prompt and
 * truncation: weights, configuration, tokenizer, manifest (architecture, dimensions, token limit, pooling), dtype, and
 * the compiler's version.
 * @param graphSources all files that determine the graph's numbers, external data included
 * @param tokenizer the tokenizer files as they are used, and the library that uses them
 * @param extras anything else that changes vectors; empty for most models, whose fingerprints were made without it
 */
export async function fingerprint(
  files: ModelFiles,
  graphSources: readonly string[],
  { architecture, dimensions, maxTokens, pooling }: Manifest,
  dtype: Dtype,
  tokenizer: { readonly files: TokenizerFiles; readonly driver: DriverName },
  modelDir: string,
  extras: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const paths = [
    ...(files.config === null ? [] : [files.config]),
    files.tokenizer,
    ...(files.tokenizerConfig === null ? [] : [files.tokenizerConfig]),
    ...graphSources,
  ];
  const digests = await Promise.all(paths.map((path) => fileDigest(path, modelDir)));
  const parts = [digests, architecture, dimensions, maxTokens, pooling, dtype, COMPILER_VERSION];
  return createHash('sha256')
    .update(
      JSON.stringify([
        ...parts,
        ...tokenizerRules(tokenizer.files, tokenizer.driver),
        ...(Object.keys(extras).length === 0 ? [] : [extras]),
      ]),
    )
    .digest('hex')
    .slice(0, 32);
}
