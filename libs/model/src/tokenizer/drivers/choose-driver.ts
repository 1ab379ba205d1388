import { BootError } from '#contracts';
import { partsOf, tokenizerDefinition } from '../definition.js';
import type { TokenizerFiles } from '../../types.js';
import type { DriverName } from './driver.js';
import { loadNative } from './native-driver.js';

export interface ChosenDriver {
  readonly name: DriverName;
  /** A line for the log; null when there is nothing to say. */
  readonly warning: string | null;
}

/**
 * The native library, or where it has no build the JavaScript one.
 * @param load loads the native library; rejects when there is none
 * @throws BootError when only the JavaScript library is left and gives some texts other ids
 */
export async function chooseDriver(
  files: TokenizerFiles,
  load: () => Promise<unknown> = loadNative,
): Promise<ChosenDriver> {
  try {
    await load();
    return { name: 'native', warning: null };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0]! : String(error);
    const wrong = wrongInJavascript(files);
    if (wrong !== null) {
      throw new BootError(
        `the library "tokenizers" does not run on this platform (${reason}), and without it tokenizers with ${wrong} ` +
          'give some texts other token ids: run the worker on Linux, macOS or Windows, x64 or arm64',
        { cause: error },
      );
    }
    const warning = `the library "tokenizers" does not run on this platform (${reason}): a slower one takes its place`;
    return { name: 'javascript', warning };
  }
}

/** Parts with which the JavaScript library gives some texts other ids: capital sigma, marks, Han beyond 16 bits. */
const WRONG_IN_JAVASCRIPT: readonly string[] = ['BertNormalizer', 'Precompiled', 'Whitespace'];

/** The part of a tokenizer that the JavaScript library does differently; null when there is none. */
function wrongInJavascript(files: TokenizerFiles): string | null {
  const { normalizer, pre_tokenizer: preTokenizer } = tokenizerDefinition(files);
  const parts = [...partsOf(normalizer), ...partsOf(preTokenizer)].map(({ type }) => type);
  return parts.find((type) => WRONG_IN_JAVASCRIPT.includes(type)) ?? null;
}
