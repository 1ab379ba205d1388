import { z } from 'zod';
import { truncationSideSchema } from '../task/spec.js';

export const dtypeSchema = z.enum(['fp32', 'fp16', 'int8']);
export type Dtype = z.infer<typeof dtypeSchema>;

/** Ways to turn the hidden states of a text into one vector, by sentence-transformers' names, in its order. */
export const poolingModeSchema = z.enum(['cls', 'max', 'mean', 'mean_sqrt_len_tokens', 'weightedmean', 'lasttoken']);
export type PoolingMode = z.infer<typeof poolingModeSchema>;

const anyMode = `(${poolingModeSchema.options.join('|')})`;

/** One mode, or several joined by `+`: their vectors are concatenated in this order. */
export const poolingSchema = z
  .string()
  .regex(
    new RegExp(`^${anyMode}([+]${anyMode})*$`),
    `use ${poolingModeSchema.options.join(', ')}, or several joined by +`,
  );
export type Pooling = z.infer<typeof poolingSchema>;

/** The name under which a model is served, such as `org/name` or `bge-m3:latest`. */
export const modelNameSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.@/+:-]*$/, 'use letters, digits and . _ @ / + : - only');

/**
 * Words that name no prompt of a model, in requests or in the header that names the one used: none at all, and the
 * request's own instruction.
 */
export const NO_PROMPT_NAME = 'none';
export const INSTRUCTION_PROMPT_NAME = 'instruction';

/** A model this deployment serves: the name that clients request, and the source of its files. */
export interface ServedModel {
  readonly name: string;
  readonly source: string;
}

/** The part of a model card that describes its vectors. */
export const embedCardSchema = z.object({
  /** Floats in the raw pooled vector. */
  dimensions: z.int().positive(),
  pooling: poolingSchema,
  /** Whether the model's own files specify L2 normalisation: the default of the request option `normalize`. */
  normalize: z.boolean(),
  /**
   * Vector lengths that the model was trained to be truncated to (Matryoshka); empty if it was not: any length is
   * accepted then, with lower quality.
   */
  matryoshka: z.array(z.int().positive()),
  /** Vector length of requests without `dimensions`, if the model's files shorten its vectors. Absent: all. */
  defaultDimensions: z.int().positive().optional(),
});
export type EmbedCard = z.infer<typeof embedCardSchema>;

/**
 * A model card is what the API must know about a model to accept work for it. Workers announce it in Redis, so the API
 * needs no model files.
 */
export const modelCardSchema = z.object({
  name: modelNameSchema,
  /** Hex digest over weights, tokenizer, manifest and dtype: models that compute different numbers never share one. */
  fingerprint: z.string().min(8),
  /** Source of the model's files, for display: `npm:…`, `hub:…@revision`, `folder:…`. */
  source: z.string(),
  dtype: dtypeSchema,
  /** Longest sequence in tokens, special tokens and prompt included. */
  maxTokens: z.int().positive(),
  /** Prompts by name, as in `config_sentence_transformers.json`; the text may be empty. */
  prompts: z.record(z.string(), z.string()),
  /** Name of the prompt of requests that ask for none. Absent: they get none. */
  defaultPrompt: z.string().optional(),
  /** Where texts over the limit are cut for requests that do not say. Absent: at their end. */
  truncate: truncationSideSchema.optional(),
  /** The prompt of requests with an instruction, which takes the place of `{instruction}`. Absent: not supported. */
  instruction: z.string().optional(),
  /** What the model can do, by operation name. Each operation reads its own member; only `embed` is checked here. */
  operations: z.looseObject({ embed: embedCardSchema.optional() }),
  createdAt: z.int(),
});
export type ModelCard = z.infer<typeof modelCardSchema>;

const cardOf010 = embedCardSchema.extend(modelCardSchema.omit({ operations: true }).shape);

/**
 * Parses a card that this or an earlier version announced: 0.1.0 had the members of `operations.embed` at top level.
 * @throws ZodError when the JSON is not a model card
 */
export function readModelCard(json: unknown): ModelCard {
  const old = cardOf010.safeParse(json);
  if (!old.success) return modelCardSchema.parse(json);
  const { dimensions, matryoshka, normalize, pooling, ...rest } = old.data;
  return { ...rest, operations: { embed: { dimensions, matryoshka, normalize, pooling } } };
}
