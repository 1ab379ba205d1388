import { z } from 'zod';

/** The first fault in an input, and where it is. */
interface Fault {
  readonly path: number[];
  readonly message: string;
}

const tokenIds = z.array(z.int().nonnegative());

/** A text or a list of texts. */
export const textsInputSchema = checkedByHand(z.union([z.string(), z.array(z.string())]), (input) => {
  if (typeof input === 'string') return null;
  if (!Array.isArray(input)) return { path: [], message: 'must be a string or a list of strings' };
  return textsFault(input);
});

/** OpenAI's `input`: a text, a list of texts, one text as token ids, or a list of such lists. */
export const embeddingsInputSchema = checkedByHand(
  z.union([z.string(), z.array(z.string()), tokenIds, z.array(tokenIds)]),
  (input) => {
    if (typeof input === 'string') return null;
    if (!Array.isArray(input)) {
      return { path: [], message: 'must be a string, a list of strings, a list of token ids, or a list of such lists' };
    }
    const items: readonly unknown[] = input;
    if (items.length === 0 || typeof items[0] === 'string') return textsFault(items);
    if (typeof items[0] === 'number') return tokenIdsFault(items);
    if (!Array.isArray(items[0])) return { path: [0], message: 'must be a string, a token id, or a list of token ids' };
    for (const [index, list] of items.entries()) {
      if (!Array.isArray(list)) return { path: [index], message: 'must be a list of token ids' };
      const fault = tokenIdsFault(list);
      if (fault !== null) return { ...fault, path: [index, ...fault.path] };
    }
    return null;
  },
);

function textsFault(items: readonly unknown[]): Fault | null {
  const index = items.findIndex((item) => typeof item !== 'string');
  return index < 0 ? null : { path: [index], message: 'must be a string' };
}

function tokenIdsFault(items: readonly unknown[]): Fault | null {
  const index = items.findIndex((item) => !Number.isSafeInteger(item) || (item as number) < 0);
  return index < 0 ? null : { path: [index], message: 'must be a token id, an integer of at least 0' };
}

/**
 * A schema that stops at the first fault. Zod records an issue for every wrong item of a list, so a body with millions
 * of wrong items would exhaust the process's memory.
 * @param forms the accepted forms, for the inferred type and the OpenAPI page
 */
function checkedByHand<T>(forms: z.ZodType<T>, faultOf: (input: unknown) => Fault | null) {
  const { $schema: _, ...described } = z.toJSONSchema(forms, { target: 'openapi-3.0', io: 'input' });
  return z
    .custom<T>()
    .superRefine((input, context) => {
      const fault = faultOf(input);
      if (fault !== null) context.addIssue({ code: 'custom', ...fault });
    })
    .meta(described);
}
