import { BootError } from '#contracts';
import { type Part, partsOf, tokenizerDefinition } from '../definition.js';
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
  const missing = await nativeMissing(load);
  if (missing === null) return { name: 'native', warning: null };
  const wrong = wrongInJavascript(files);
  if (wrong === null) return { name: 'javascript', warning: `${missing}: a slower one takes its place` };
  throw new BootError(
    `${missing}, and without it tokenizers with ${wrong} give some texts other token ids: run this process on Linux, ` +
      'macOS or Windows, x64 or arm64',
  );
}

/**
 * Why the native library does not run, as the start of a sentence; null when it does.
 * @param load loads the library; rejects when there is none
 */
export async function nativeMissing(load: () => Promise<unknown> = loadNative): Promise<string | null> {
  try {
    await load();
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0]! : String(error);
    return `the library "tokenizers" does not run on this platform (${reason})`;
  }
}

/**
 * Parts with which the JavaScript library gives every text the ids of the native one, as `test/token-ids` proves. It
 * differs in white space, letter case, normal forms of newer characters, and what it does not know.
 */
const RIGHT_IN_JAVASCRIPT: readonly string[] = ['Prepend', 'Replace', 'Split', 'ByteLevel', 'BPE'];

/** What of a tokenizer the JavaScript library does differently, or may do; null when there is nothing. */
export function wrongInJavascript(files: TokenizerFiles): string | null {
  const { added_tokens: added, model, normalizer, pre_tokenizer: preTokenizer } = tokenizerDefinition(files);
  const parts = [...partsOf(normalizer), ...partsOf(preTokenizer), model];
  const wrong = parts.find(({ type }) => !RIGHT_IN_JAVASCRIPT.includes(type));
  if (wrong !== undefined) return wrong.type;
  if (parts.some(splitsPrefixed)) return 'ByteLevel and add_prefix_space';
  const stripping = added?.find(({ lstrip, rstrip }) => lstrip === true || rstrip === true);
  return stripping === undefined ? null : `the token ${stripping.content}, which takes white space beside it`;
}

function splitsPrefixed(part: Part): boolean {
  return part.type === 'ByteLevel' && part['add_prefix_space'] !== false;
}
