import { setImmediate } from 'node:timers/promises';
import { ApiError } from '#contracts';
import type { Tiktoken } from 'js-tiktoken/lite';

/** Ids below are ordinary tokens; those above are control tokens, which are no text. */
const ORDINARY_TOKENS = 100_256;

/** So many are decoded in some ms; others get their turn then. */
const PAUSE_AFTER_IDS = 10_000;

let encoding: Promise<Tiktoken> | undefined;

/**
 * Texts of token ids. Clients such as LangChain tokenise for OpenAI's models before they send, with cl100k_base; those
 * ids mean nothing to another model, so they are turned back into the text they stand for.
 * @param paramOf the request field of a list
 * @throws ApiError 400 naming the list and the id that is none of cl100k_base
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

/** A megabyte of ranks: only once somebody sends ids. */
async function load(): Promise<Tiktoken> {
  const [{ Tiktoken }, { default: ranks }] = await Promise.all([
    import('js-tiktoken/lite'),
    import('js-tiktoken/ranks/cl100k_base'),
  ]);
  return new Tiktoken(ranks);
}
