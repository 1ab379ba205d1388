import { setImmediate } from 'node:timers/promises';
import { ApiError } from '#contracts';
import type { Tiktoken } from 'js-tiktoken/lite';

/** Ids below this are ordinary tokens; the others are special tokens without a text. */
const ORDINARY_TOKENS = 100_256;

/** Decoding this many takes a few ms; then the event loop gets a turn. */
const PAUSE_AFTER_IDS = 10_000;

let encoding: Promise<Tiktoken> | undefined;

/**
 * Decodes lists of token ids to texts. Clients such as LangChain tokenise for OpenAI's models, with cl100k_base, before
 * they send; other models have other ids, so they are decoded back to text.
 * @param paramOf name of the request field of a list
 * @throws ApiError 400 `invalid_token_id` naming the first id of a list that is not an ordinary cl100k_base token
 */
export async function decodeCl100k(
  lists: readonly (readonly number[])[],
  paramOf: (index: number) => string,
): Promise<string[]> {
  encoding ??= load();
  const tiktoken = await encoding;
  const texts: string[] = [];
  let sincePause = 0;
  for (const [index, ids] of lists.entries()) {
    const bad = ids.findIndex((id) => id >= ORDINARY_TOKENS);
    if (bad >= 0) {
      throw new ApiError({
        status: 400,
        code: 'invalid_token_id',
        param: `${paramOf(index)}[${bad}]`,
        message:
          `Token ids are read as cl100k_base, which ends at ${ORDINARY_TOKENS - 1}; this is ${ids[bad]}. ` +
          'Send text instead (LangChain: check_embedding_ctx_length=False).',
      });
    }
    texts.push(tiktoken.decode(ids as number[]));
    sincePause += ids.length;
    if (sincePause < PAUSE_AFTER_IDS) continue;
    sincePause = 0;
    await setImmediate();
  }
  return texts;
}

/** Loads a megabyte of ranks, so only when the first request with token ids arrives. */
async function load(): Promise<Tiktoken> {
  const [{ Tiktoken }, { default: ranks }] = await Promise.all([
    import('js-tiktoken/lite'),
    import('js-tiktoken/ranks/cl100k_base'),
  ]);
  return new Tiktoken(ranks);
}
