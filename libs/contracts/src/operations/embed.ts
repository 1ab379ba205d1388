import { z } from 'zod';
import type { EmbedCard, ModelCard } from '../record/model-card.js';
import { rowsOfFloats } from '../row.js';
import type { Operation } from './operation.js';

/** One text to one pooled vector. A row's payload is the raw vector: `[float32 x dimensions]`. */
export const embed: Operation<string> = {
  name: 'embed',
  input: z.string(),
  key: (text) => text,
  bytes: (text) => Buffer.byteLength(text),
  texts: (text) => [text],
  isServedBy: ({ operations }) => operations.embed !== undefined,
  rowBytes: (card) => rowsOfFloats(embedCard(card).dimensions),
  // Long enough to use most of a model, short enough to cost nothing.
  example:
    'The miller grinds wheat, rye and barley: 3 sacks before noon, 5 after it. Die Mühle mahlt langsam, aber fein.',
};

/** What a model's card says of embedding. @throws Error when it does not embed */
export function embedCard(card: ModelCard): EmbedCard {
  const found = card.operations.embed;
  if (found === undefined) throw new Error(`model "${card.name}" does not embed`);
  return found;
}

/** What is applied to raw rows on the way out, in this order: cut to `dimensions`, then normalise. */
export const embedOutputSchema = z.object({
  /** null: the model's own. */
  dimensions: z.int().positive().nullable(),
  normalize: z.boolean(),
});
export type EmbedOutput = z.infer<typeof embedOutputSchema>;
