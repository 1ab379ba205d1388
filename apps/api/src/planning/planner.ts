import {
  type Caller,
  type embedOptionsShape,
  type Keys,
  type Lane,
  type ModelCard,
  type Operation,
  type Operations,
  type PlacedInput,
  type Row,
  saltOf,
  type Spec,
} from '#contracts';
import { cacheKeyOf, findRows, type RowCache } from '#store';
import type { z } from 'zod';
import type { Output, OutputShapes } from '../output/output-shape.js';
import type { ModelDirectory } from './model-directory.js';
import { choosePrompt, type PromptWishes } from './prompt-choice.js';
import type { PromptLimit } from './prompt-limit.js';

/** Options of a request that apply to every operation. The operation's output shape reads all other members. */
export type PlanOptions = Pick<
  z.output<z.ZodObject<typeof embedOptionsShape>>,
  'model' | keyof PromptWishes | 'truncate' | 'priority'
>;

/** A request's options, resolved for its model. */
export interface Plan {
  readonly caller: Caller;
  /** For the logs of the workers. */
  readonly requestId: string;
  readonly card: ModelCard;
  readonly operation: Operation;
  readonly spec: Spec;
  /** Name of the spec's prompt; null: it has none. */
  readonly prompt: string | null;
  readonly output: Output;
  readonly lane: Lane;
  /** `truncate: error`: texts over the model's limit are refused. */
  readonly refuseTooLong: boolean;
}

/** A distinct input of a request. */
export interface DistinctInput extends PlacedInput {
  /** Cache key. */
  readonly key: string;
}

export interface Lookup {
  readonly distinct: readonly DistinctInput[];
  /** `row[i]` belongs to `distinct[i]`; null for a miss. */
  readonly row: readonly (Row | null)[];
}

/** Observer of cache lookups, in texts. */
export interface LookupCounts {
  lookups(model: string, hits: number, misses: number): void;
}

export interface PlannerParts {
  readonly models: ModelDirectory;
  readonly promptLimit: PromptLimit;
  readonly operations: Operations;
  readonly shapes: OutputShapes;
  readonly cache: RowCache;
  readonly keys: Keys;
  readonly count: LookupCounts;
}

/** Decides what must be computed: resolves options to a plan, and splits inputs into cache hits and misses. */
export class Planner {
  readonly #parts: PlannerParts;

  constructor(parts: PlannerParts) {
    this.#parts = parts;
  }

  /**
   * @throws ApiError for a model that is unknown or does not support the operation, for a prompt that it does not
   *   have or that leaves a text no room, or for unsupported output options
   */
  async plan(
    operationName: string,
    options: PlanOptions & Output,
    defaultLane: Lane,
    caller: Caller,
    requestId: string,
  ): Promise<Plan> {
    const { models, operations, promptLimit, shapes } = this.#parts;
    const operation = operations.of({ operation: operationName });
    const card = await models.card(options.model, operation);
    const { input_type, instruction, model: _model, priority, prompt_name, truncate, ...wishes } = options;
    const lane = priority === undefined ? defaultLane : priority === 'high' ? 'interactive' : 'bulk';
    const promptWishes = { input_type, instruction, prompt_name };
    const prompt = choosePrompt(card, promptWishes);
    await promptLimit.require(card, prompt, promptWishes, lane);
    return {
      caller,
      requestId,
      card,
      operation,
      spec: {
        operation: operation.name,
        fingerprint: card.fingerprint,
        prompt: prompt.text,
        // A text that fits has the same row with every `truncate`; texts that do not fit are refused beforehand.
        truncate: truncate === 'error' ? 'end' : (truncate ?? card.truncate ?? 'end'),
        ...saltOf(caller.cacheSalt),
      },
      prompt: prompt.name,
      output: shapes.of({ operation: operationName }).plan(wishes, card),
      lane,
      refuseTooLong: truncate === 'error',
    };
  }

  /** Collapses equal inputs and looks them up in the cache. */
  async lookup({ card, operation, spec }: Plan, inputs: readonly unknown[]): Promise<Lookup> {
    const { cache, count, keys } = this.#parts;
    const keyOf = cacheKeyOf(keys, operation, spec);
    const byInput = new Map<string, DistinctInput>();
    for (const [position, input] of inputs.entries()) {
      const at = operation.key(input);
      const known = byInput.get(at);
      if (known) known.positions.push(position);
      else byInput.set(at, { input, key: keyOf(input), positions: [position] });
    }
    const distinct = [...byInput.values()];
    const row = await findRows(
      cache,
      distinct.map(({ key }) => key),
      operation.rowBytes(card),
    );
    const hits = distinct.reduce((sum, { positions }, n) => (row[n] === null ? sum : sum + positions.length), 0);
    count.lookups(card.name, hits, inputs.length - hits);
    return { distinct, row };
  }
}
