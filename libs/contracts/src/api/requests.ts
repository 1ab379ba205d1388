import { z } from 'zod';
import { laneSchema } from '../task/lane.js';
import { embeddingsInputSchema, textsInputSchema } from './text-input.js';

/**
 * Which of the model's prompts to prepend to each text. All absent: the model's default prompt, if it has one. Any
 * string, because only the model's card says which ones it has.
 */
export const promptShape = {
  /** What the texts are: `query`, `document`, or a synonym; or the name of one of the model's prompts. */
  input_type: z.string().min(1).max(200).optional(),
  /** Name of one of the model's prompts; `none` for no prompt. */
  prompt_name: z.string().min(1).max(200).optional(),
  /** The task in the client's own words, for models that are trained with instructions; short enough for a URL. */
  instruction: z.string().min(1).max(1000).optional(),
};

/** Options of every endpoint that takes texts. */
export const embedOptionsShape = {
  /** Any string: a name that is not served gets an error that quotes it, not one about allowed characters. */
  model: z.string().min(1).max(200),
  ...promptShape,
  /** Where to cut a text that exceeds the model's limit; `error` rejects it; absent: where the model's files say. */
  truncate: z.enum(['error', 'end', 'start', 'middle']).optional(),
  /** L2-normalise after truncating to `dimensions`; absent: as the model's own files specify. */
  normalize: z.boolean().optional(),
  /** Return only the first `dimensions` floats of the vector. */
  dimensions: z.int().min(1).optional(),
  /** `high`: interactive lane; `normal`: bulk lane; absent: the endpoint's default. */
  priority: z.enum(['high', 'normal']).optional(),
};

/** Body of `POST /v1/embeddings`: OpenAI's, plus the options above. */
export const embeddingsRequestSchema = z.object({
  ...embedOptionsShape,
  /** Token ids, if any, are those of OpenAI's encoding cl100k_base. */
  input: embeddingsInputSchema,
  encoding_format: z.enum(['float', 'base64']).default('float'),
  user: z.string().optional(),
});
export type EmbeddingsRequest = z.infer<typeof embeddingsRequestSchema>;

/** Response of `POST /v1/embeddings`, as OpenAI defines it. */
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

/** JSON body of `POST /v1/jobs`. The NDJSON form has one text per line and the other options in the query. */
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
