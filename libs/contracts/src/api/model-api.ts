import { z } from 'zod';
import { dtypeSchema, poolingSchema } from '../record/model-card.js';

/** OpenAI's model object, and what clients of an embedding service need besides. */
export const modelObjectSchema = z.object({
  id: z.string(),
  object: z.literal('model'),
  /** Epoch seconds. */
  created: z.int(),
  /** Where it came from: `npm:…`, `hub:…@revision`, `folder:…`. */
  owned_by: z.string(),
  /** This and the next: of models that embed. */
  dimensions: z.int().optional(),
  /** Longest text, special tokens and prompt included. */
  max_tokens: z.int(),
  pooling: poolingSchema.optional(),
  normalize: z.boolean().optional(),
  dtype: dtypeSchema,
  /** Vector lengths the model was trained to be cut to. */
  matryoshka_dimensions: z.array(z.int()).optional(),
  /** Texts of these `input_type`s get a prompt. */
  prompts: z.array(z.string()),
  fingerprint: z.string(),
  /** Workers that take its tasks now. */
  ready_workers: z.int(),
});
export type ModelObject = z.infer<typeof modelObjectSchema>;

/** `GET /v1/models`. */
export const modelListSchema = z.object({ object: z.literal('list'), data: z.array(modelObjectSchema) });
export type ModelList = z.infer<typeof modelListSchema>;
