import { z } from 'zod';
import { dtypeSchema, poolingSchema } from '../record/model-card.js';
import { truncationSideSchema } from '../task/spec.js';

/** OpenAI's model object, plus what clients of an embedding service need. */
export const modelObjectSchema = z.object({
  id: z.string(),
  object: z.literal('model'),
  /** Epoch seconds. */
  created: z.int(),
  /** Source of the model's files: `npm:…`, `hub:…@revision`, `folder:…`. */
  owned_by: z.string(),
  /** Floats per vector; only for models that embed. */
  dimensions: z.int().optional(),
  /** The most that requests may ask for, where it is more than `dimensions`. */
  max_dimensions: z.int().optional(),
  /** Longest sequence in tokens, special tokens and prompt included. */
  max_tokens: z.int(),
  /** Only for models that embed. */
  pooling: poolingSchema.optional(),
  /** Default of the request option; only for models that embed. */
  normalize: z.boolean().optional(),
  dtype: dtypeSchema,
  /** Vector lengths that the model was trained to be truncated to. */
  matryoshka_dimensions: z.array(z.int()).optional(),
  /** Names of the model's prompts, for `prompt_name` and `input_type`. */
  prompts: z.array(z.string()),
  /** The same prompts: name -> text that is prepended. */
  prompt_texts: z.record(z.string(), z.string()),
  /** Name of the prompt of requests that ask for none; null: they get none. */
  default_prompt_name: z.string().nullable(),
  /** Default of the request option. */
  truncate: truncationSideSchema,
  /** The prompt of requests with `instruction`, which takes the place of `{instruction}`; null: not supported. */
  instruction: z.string().nullable(),
  fingerprint: z.string(),
  /** Number of workers that currently take the model's tasks. */
  ready_workers: z.int(),
});
export type ModelObject = z.infer<typeof modelObjectSchema>;

/** `GET /v1/models`. */
export const modelListSchema = z.object({ object: z.literal('list'), data: z.array(modelObjectSchema) });
export type ModelList = z.infer<typeof modelListSchema>;
