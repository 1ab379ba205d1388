import { ApiError, type ModelCard, type Operation } from '#contracts';
import type { ModelRegistry } from '#store';
import { z } from 'zod';

/** Maximum age of a cached card, ms: a replaced model is noticed within this time. */
const CARD_AGE_MS = 1000;
const RETRY_AFTER_SECONDS = 5;

/** The configured models, with the cards that workers announced for them. */
export class ModelDirectory {
  readonly #registry: ModelRegistry;
  readonly #names: readonly string[];
  readonly #onUnreadable: (name: string, error: Error) => void;
  readonly #cards = new Map<string, { at: number; card: Promise<ModelCard | null> }>();

  /**
   * @param names models that this deployment serves
   * @param onUnreadable observer of announced cards that cannot be read: the model counts as not announced
   */
  constructor(
    registry: ModelRegistry,
    names: readonly string[],
    onUnreadable: (name: string, error: Error) => void = () => {},
  ) {
    this.#registry = registry;
    this.#names = names;
    this.#onUnreadable = onUnreadable;
  }

  get names(): readonly string[] {
    return this.#names;
  }

  /** @throws ApiError 404 for a model that is not served */
  requireServed(name: string): void {
    if (!this.#names.includes(name)) {
      throw new ApiError({
        status: 404,
        code: 'model_not_found',
        param: 'model',
        message: `There is no model "${name}" here; there is ${this.#names.map((one) => `"${one}"`).join(', ')}.`,
      });
    }
  }

  /**
   * @param operation that the model must support; absent: any
   * @throws ApiError 404 for a model that is not served; 503 for one that no worker has announced yet; 400 for one that
   * does not support `operation`
   */
  async card(name: string, operation?: Operation): Promise<ModelCard> {
    this.requireServed(name);
    const card = await this.known(name);
    if (card === null) throw modelNotReady(`No worker has announced model "${name}" yet`);
    if (operation !== undefined && !operation.isServedBy(card)) {
      throw new ApiError({
        status: 400,
        code: 'operation_not_supported',
        param: 'model',
        message: `Model "${name}" cannot ${operation.name}; it can ${Object.keys(card.operations).join(', ')}.`,
      });
    }
    return card;
  }

  /** The model's card, at most 1 s old; null when no worker announced the model, or its card cannot be read. */
  known(name: string): Promise<ModelCard | null> {
    const now = performance.now();
    const cached = this.#cards.get(name);
    if (cached !== undefined && now - cached.at < CARD_AGE_MS) return cached.card;
    const forget = () => this.#cards.delete(name);
    const card = this.#registry.card(name).then(
      (found) => {
        // A model that was just announced is served at once.
        if (found === null) forget();
        return found;
      },
      (error: unknown) => {
        if (error instanceof z.ZodError || error instanceof SyntaxError) {
          this.#onUnreadable(name, error);
          return null;
        }
        forget();
        throw error;
      },
    );
    this.#cards.set(name, { at: now, card });
    return card;
  }
}

/** 503 for something that a worker must announce first. */
export function modelNotReady(what: string): ApiError {
  return new ApiError({
    status: 503,
    code: 'model_not_ready',
    param: 'model',
    message: `${what}; it may be starting. Try again.`,
    retryAfter: RETRY_AFTER_SECONDS,
  });
}
