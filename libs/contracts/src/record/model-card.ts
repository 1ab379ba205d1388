import { z } from 'zod';

export const dtypeSchema = z.enum(['fp32', 'fp16', 'int8']);
export type Dtype = z.infer<typeof dtypeSchema>;

export const poolingSchema = z.enum(['cls', 'mean', 'max']);
export type Pooling = z.infer<typeof poolingSchema>;

/** The name under which a model is served and asked for: no colon, since it becomes part of key names. */
export const modelNameSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.@/+-]*$/, 'use letters, digits and . _ @ / + - only');

/** A model this deployment serves: the name clients ask for, and where its files come from. */
export interface ServedModel {
  readonly name: string;
  readonly source: string;
}

/** What a model that embeds says of its vectors. */
export const embedCardSchema = z.object({
  /** Floats in the raw pooled vector. */
  dimensions: z.int().positive(),
  pooling: poolingSchema,
  /** Whether the model's own files ask for L2 normalisation: the default of the request option `normalize`. */
  normalize: z.boolean(),
  /** Vector lengths the model was trained to be cut to; empty when it was not (any length is accepted then, with less quality). */
  matryoshka: z.array(z.int().positive()),
});
export type EmbedCard = z.infer<typeof embedCardSchema>;

/**
 * A model card is what the API must know of a model to accept work for it. Workers announce it in Redis,
 * so that the API needs no model files.
 */
export const modelCardSchema = z.object({
  name: modelNameSchema,
  /** Hex digest over weights, tokenizer, manifest and dtype: two numerics never share one. */
  fingerprint: z.string().min(8),
  /** Where it came from, for people: `npm:…`, `hub:…@revision`, `folder:…`. */
  source: z.string(),
  dtype: dtypeSchema,
  /** Longest sequence in tokens, special tokens and prompt included. */
  maxTokens: z.int().positive(),
  /** Prompts by name, as in `config_sentence_transformers.json`; `query` and `document` serve `input_type`. */
  prompts: z.record(z.string(), z.string()),
  /** What the model can do, by the operation's name; members beside `embed` are read by their operation. */
  operations: z.looseObject({ embed: embedCardSchema.optional() }),
  createdAt: z.int(),
});
export type ModelCard = z.infer<typeof modelCardSchema>;

const cardOf010 = embedCardSchema.extend(modelCardSchema.omit({ operations: true }).shape);

/**
 * A card as some version announced it: 0.1.0 knew embedding only, and its members stood beside the others.
 * @throws ZodError when it is none
 */
export function readModelCard(json: unknown): ModelCard {
  const old = cardOf010.safeParse(json);
  if (!old.success) return modelCardSchema.parse(json);
  const { dimensions, matryoshka, normalize, pooling, ...rest } = old.data;
  return { ...rest, operations: { embed: { dimensions, matryoshka, normalize, pooling } } };
}
