import { z } from 'zod';
import { laneSchema } from '../task/lane.js';
import { embeddingsInputSchema, textsInputSchema } from './text-input.js';

/** Options shared by every door that takes texts. */
export const embedOptionsShape = {
  /** One that is not served is told so by name, whatever it is made of. */
  model: z.string().min(1).max(200),
  /** Which prompt of the model goes before each text; none when absent. */
  input_type: z.enum(['query', 'document']).optional(),
  /** What happens to a text longer than the model's limit; `error` refuses it. */
  truncate: z.enum(['error', 'end', 'start', 'middle']).default('end'),
  /** L2-normalise after cutting to `dimensions`; absent: as the model's own files say. */
  normalize: z.boolean().optional(),
  /** Keep the first so many floats. */
  dimensions: z.int().min(1).optional(),
  /** `high` goes through the interactive lane, `normal` through bulk; absent: the door's own default. */
  priority: z.enum(['high', 'normal']).optional(),
};

/** Body of `POST /v1/embeddings`: OpenAI's, plus the options above. */
export const embeddingsRequestSchema = z.object({
  ...embedOptionsShape,
  /** Token ids are cl100k_base. */
  input: embeddingsInputSchema,
  encoding_format: z.enum(['float', 'base64']).default('float'),
  user: z.string().optional(),
});
export type EmbeddingsRequest = z.infer<typeof embeddingsRequestSchema>;

/** OpenAI's answer. */
export const embeddingsResponseSchema = z.object({
  object: z.literal('list'),
  data: z.array(
    z.object({
      object: z.literal('embedding'),
      index: z.int(),
      embedding: z.union([z.array(z.number()), z.string()]),
    }),
  ),
  model: z.string(),
  usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
});
export type EmbeddingsResponse = z.infer<typeof embeddingsResponseSchema>;

/** JSON body of `POST /v1/jobs`. The NDJSON form has one text a line and these options, less `input`, in the query. */
export const jobRequestSchema = z.object({
  ...embedOptionsShape,
  input: textsInputSchema,
});
export type JobRequest = z.infer<typeof jobRequestSchema>;

/** Query of `POST /v1/jobs` with an `application/x-ndjson` body. */
export const jobUploadOptionsSchema = z.object({
  ...embedOptionsShape,
  normalize: z.stringbool().optional(),
  dimensions: z.coerce.number().int().min(1).optional(),
});
export type JobUploadOptions = z.infer<typeof jobUploadOptionsSchema>;

/** One NDJSON line: a JSON string, or an object with the text under `input` or `text`. */
export const jobLineSchema = z.union([
  z.string(),
  z.object({ input: z.string() }).transform((line) => line.input),
  z.object({ text: z.string() }).transform((line) => line.text),
]);

export const jobLaneDefault = laneSchema.enum.bulk;
