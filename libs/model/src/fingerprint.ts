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
 * @param tokenizer the parsed tokenizer files, and the library that uses them
 */
export async function fingerprint(
  files: ModelFiles,
  graphSources: readonly string[],
  { architecture, dimensions, maxTokens, pooling }: Manifest,
  dtype: Dtype,
  tokenizer: { readonly files: TokenizerFiles; readonly driver: DriverName },
  modelDir: string,
): Promise<string> {
  const paths = [
    files.config,
    files.tokenizer,
    ...(files.tokenizerConfig === null ? [] : [files.tokenizerConfig]),
    ...graphSources,
  ];
  const digests = await Promise.all(paths.map((path) => fileDigest(path, modelDir)));
  return createHash('sha256')
    .update(
      JSON.stringify([
        ...[digests, architecture, dimensions, maxTokens, pooling, dtype, COMPILER_VERSION],
        ...tokenizerRules(tokenizer.files, tokenizer.driver),
      ]),
    )
    .digest('hex')
    .slice(0, 32);
}
