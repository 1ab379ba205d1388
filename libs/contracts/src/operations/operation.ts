import type { z } from 'zod';
import type { ModelCard } from '../record/model-card.js';
import type { RowBytes } from '../row.js';

/** What the tokenizer gets for one input: one text, or a pair of texts. */
export type ModelTexts = readonly [text: string] | readonly [text: string, pair: string];

/**
 * An operation is a kind of work that a model can do. Everything between the API and the device treats inputs and rows
 * as opaque: planning, cache, coalescing, tasks, fair queueing, single-flight, batching, retry, results. A new
 * operation needs a file beside this one, a head in the compiler, and a shape in the API's `output/`.
 */
export interface Operation<Input = unknown> {
  /** Stored in specs, tasks and job records, so it must never change. */
  readonly name: string;
  /** Schema of an input in a task. */
  readonly input: z.ZodType<Input>;
  /** Inputs with equal keys have equal rows under one spec. Used for the cache and for removing duplicates. */
  key(input: Input): string;
  /** Size in bytes of UTF-8: limits the size of tasks, and is the cost by which API keys share a lane. */
  bytes(input: Input): number;
  /** What to tokenise. */
  texts(input: Input): ModelTexts;
  /** Whether a model supports the operation. */
  isServedBy(card: ModelCard): boolean;
  /** Length of the model's rows. Only for cards that `isServedBy` accepts. */
  rowBytes(card: ModelCard): RowBytes;
  /** A typical input, which workers compute at their start and periodically to check their device. */
  readonly example: Input;
}
