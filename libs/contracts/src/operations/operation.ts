import type { z } from 'zod';
import type { ModelCard } from '../record/model-card.js';
import type { RowBytes } from '../row.js';

/** What the tokenizer gets of one input: a text, or a text and a second one that follows it as a pair. */
export type ModelTexts = readonly [text: string] | readonly [text: string, pair: string];

/**
 * An operation is a kind of work that a model can do. Everything between the API and the device handles inputs and rows
 * and looks into neither: planning, cache, coalescing, tasks, fair queueing, single-flight, batching, retry, results.
 * A new operation is a file beside this one, a head in the compiler, and a shape in the API's `output/`.
 */
export interface Operation<Input = unknown> {
  /** Stands in specs, tasks and job records: never changes. */
  readonly name: string;
  /** How an input comes out of a task. */
  readonly input: z.ZodType<Input>;
  /** Inputs with equal keys have equal rows under one spec: for the cache, and for collapsing duplicates. */
  key(input: Input): string;
  /** What it weighs, bytes of UTF-8: bounds tasks, and is what API keys share a lane by. */
  bytes(input: Input): number;
  texts(input: Input): ModelTexts;
  /** Whether a model can do this. */
  isServedBy(card: ModelCard): boolean;
  /** How long its rows are. Only of a card that serves it. */
  rowBytes(card: ModelCard): RowBytes;
  /** A usual input: workers compute it at their start and from time to time, to check their device. */
  readonly example: Input;
}
