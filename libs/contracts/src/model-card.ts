import { z } from 'zod';
import { laneSchema } from './lane.js';

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
  /** Floats in the raw pooled vector. */
  dimensions: z.int().positive(),
  /** Longest sequence in tokens, special tokens and prompt included. */
  maxTokens: z.int().positive(),
  pooling: poolingSchema,
  /** Whether the model's own files ask for L2 normalisation: the default of the request option `normalize`. */
  normalize: z.boolean(),
  /** Prompts by name, as in `config_sentence_transformers.json`; `query` and `document` serve `input_type`. */
  prompts: z.record(z.string(), z.string()),
  /** Vector lengths the model was trained to be cut to; empty when it was not (any length is accepted then, with less quality). */
  matryoshka: z.array(z.int().positive()),
  createdAt: z.int(),
});
export type ModelCard = z.infer<typeof modelCardSchema>;

/** What a worker writes about itself with every heartbeat. */
export const workerRecordSchema = z.object({
  id: z.string(),
  host: z.string(),
  pid: z.int(),
  version: z.string(),
  device: z.string(),
  /** `unfit`: its canary failed, and it takes no work. */
  state: z.enum(['starting', 'ready', 'draining', 'unfit']),
  /** Why it is unfit, in words; null otherwise. */
  reason: z.string().nullable(),
  /** Served name -> fingerprint. */
  models: z.record(z.string(), z.string()),
  metricsUrl: z.string().nullable(),
  startedAt: z.int(),
  heartbeatAt: z.int(),
  /** Over the last heartbeat interval. */
  tokensPerSecond: z.number(),
  textsPerSecond: z.number(),
  /** Real / padded tokens, 0..1, over the last heartbeat interval; null when nothing ran. */
  fill: z.number().nullable(),
  tasksInFlight: z.record(laneSchema, z.int()),
  memoryBytes: z.int(),
});
export type WorkerRecord = z.infer<typeof workerRecordSchema>;
