import {
  ApiError,
  type Caller,
  type EmbeddingSpec,
  type embedOptionsShape,
  type Keys,
  type Lane,
  type ModelCard,
  type OutputOptions,
  saltOf,
  specHash,
  textHash,
} from '#contracts';
import { type EmbeddingCache, rowBytes } from '#store';
import type { z } from 'zod';
import type { ModelDirectory } from '../models/model-directory.js';

/** What a request may say about how its texts are embedded. */
export type EmbedOptions = z.output<z.ZodObject<typeof embedOptionsShape>>;

/** A plan is what a request's options come to for its model. */
export interface Plan {
  readonly caller: Caller;
  /** For the logs of those who work on it. */
  readonly requestId: string;
  readonly card: ModelCard;
  readonly spec: EmbeddingSpec;
  readonly output: OutputOptions;
  readonly lane: Lane;
  /** `truncate: error`: texts over the model's limit are refused. */
  readonly refuseTooLong: boolean;
}

/** A distinct text of a request. */
export interface DistinctText {
  readonly text: string;
  /** Of the cache. */
  readonly key: string;
  /** Every place where it stands. */
  readonly positions: number[];
}

export interface Lookup {
  readonly distinct: readonly DistinctText[];
  /** `row[i]` belongs to `distinct[i]`; null for a miss. */
  readonly row: readonly (Buffer | null)[];
}

/** Told of cache lookups, in texts. */
export interface LookupCounts {
  lookups(model: string, hits: number, misses: number): void;
}

/** The planner decides what has to be computed: options to a plan, texts to cache hits and misses. */
export class Planner {
  readonly #models: ModelDirectory;
  readonly #cache: EmbeddingCache;
  readonly #keys: Keys;
  readonly #count: LookupCounts;

  constructor(models: ModelDirectory, cache: EmbeddingCache, keys: Keys, count: LookupCounts) {
    this.#models = models;
    this.#cache = cache;
    this.#keys = keys;
    this.#count = count;
  }

  /** @throws ApiError for an unknown model, or dimensions that it cannot give */
  async plan(options: EmbedOptions, defaultLane: Lane, caller: Caller, requestId: string): Promise<Plan> {
    const card = await this.#models.card(options.model);
    const { dimensions = null, truncate } = options;
    if (dimensions !== null && dimensions > card.dimensions) {
      throw new ApiError({
        status: 400,
        code: 'invalid_dimensions',
        param: 'dimensions',
        message: `dimensions must be at most ${card.dimensions}, which model "${card.name}" has. It is ${dimensions}.`,
      });
    }
    return {
      caller,
      requestId,
      card,
      spec: {
        fingerprint: card.fingerprint,
        prompt: options.input_type === undefined ? '' : (card.prompts[options.input_type] ?? ''),
        // A text that fits has the same vector whatever would be cut off.
        truncate: truncate === 'error' ? 'end' : truncate,
        ...saltOf(caller.cacheSalt),
      },
      output: { dimensions, normalize: options.normalize ?? card.normalize },
      lane: options.priority === undefined ? defaultLane : options.priority === 'high' ? 'interactive' : 'bulk',
      refuseTooLong: truncate === 'error',
    };
  }

  /** Collapses equal texts and looks them up in the cache. */
  async lookup({ card, spec }: Plan, texts: readonly string[]): Promise<Lookup> {
    const hash = specHash(spec);
    const byText = new Map<string, DistinctText>();
    for (const [position, text] of texts.entries()) {
      const known = byText.get(text);
      if (known) known.positions.push(position);
      else byText.set(text, { text, key: this.#keys.vector(hash, textHash(text)), positions: [position] });
    }
    const distinct = [...byText.values()];
    const size = rowBytes(card.dimensions);
    const found = await this.#cache.getMany(distinct.map(({ key }) => key));
    const row = found.map((one) => (one?.length === size ? one : null));
    const hits = distinct.reduce((sum, { positions }, n) => (row[n] === null ? sum : sum + positions.length), 0);
    this.#count.lookups(card.name, hits, texts.length - hits);
    return { distinct, row };
  }
}
