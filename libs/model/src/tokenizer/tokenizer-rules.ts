import type { TokenizerFiles } from '../types.js';
import { partsOf, type TokenizerDefinition } from './definition.js';
import type { DriverName } from './drivers/driver.js';

/** Parts of tokenizers with which version 0.1.0 gave other ids for whole scripts, so that its vectors must not be kept. */
const OTHER_IN_0_1_0: readonly string[] = ['Precompiled', 'Whitespace'];

/**
 * What a tokenizer's ids depend on besides its files, for the fingerprint. Empty for kinds whose ids are those of version
 * 0.1.0, so that an upgrade keeps their caches and half-done jobs; that BERT's differ for a few rare characters (capital
 * sigma at the end of a word, Chinese characters beyond 16 bits) does not outweigh this.
 */
export function tokenizerRules(files: TokenizerFiles, driver: DriverName): readonly string[] {
  const { normalizer, pre_tokenizer: preTokenizer } = files.tokenizer as TokenizerDefinition;
  const types = [...partsOf(normalizer), ...partsOf(preTokenizer)].map(({ type }) => type);
  return [
    ...(types.some((type) => OTHER_IN_0_1_0.includes(type)) ? ['tokenizers'] : []),
    ...(driver === 'native' ? [] : [`tokenizer:${driver}`]),
  ];
}
