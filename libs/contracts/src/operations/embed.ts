import { z } from 'zod';
import type { EmbedCard, ModelCard } from '../record/model-card.js';
import { rowsOfFloats } from '../row.js';
import type { Operation } from './operation.js';

/** Embeds one text as one pooled vector. The payload of a row is the raw vector: `[float32 x dimensions]`. */
export const embed: Operation<string> = {
  name: 'embed',
  input: z.string(),
  key: (text) => text,
  bytes: (text) => Buffer.byteLength(text),
  texts: (text) => [text],
  isServedBy: ({ operations }) => operations.embed !== undefined,
  rowBytes: (card) => rowsOfFloats(embedCard(card).dimensions),
  // Long enough to exercise most of a model, short enough to be cheap.
  example:
    'The miller grinds wheat, rye and barley: 3 sacks before noon, 5 after it. Die Mühle mahlt langsam, aber fein.',
};

/** The embedding part of a model card. @throws Error when the model does not embed */
export function embedCard(card: ModelCard): EmbedCard {
  const found = card.operations.embed;
  if (found === undefined) throw new Error(`model "${card.name}" does not embed`);
  return found;
}

/** What is applied to raw rows in responses, in this order: truncate to `dimensions`, then L2-normalise. */
export const embedOutputSchema = z.object({
  /** null: all dimensions of the model. */
  dimensions: z.int().positive().nullable(),
  normalize: z.boolean(),
});
export type EmbedOutput = z.infer<typeof embedOutputSchema>;
