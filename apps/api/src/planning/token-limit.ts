import { ApiError, BootError, type Lane, type ModelCard } from '#contracts';
import { TokenizerThread, type TokenizerFiles } from '#model';
import type { ModelRegistry } from '#store';
import type { TokenCount } from '../input/too-long.js';
import { modelNotReady } from './model-directory.js';
import type { Plan } from './planner.js';
import type { TokenCounter } from './prompt-limit.js';

/** Counts tokens: finds texts over a model's token limit, for `truncate: error`, and measures long prompts. Uses the tokenizer that workers announced. */
export class TokenLimit implements TokenCounter {
  readonly #registry: ModelRegistry;
  readonly #onUnusable: (reason: string) => void;
  readonly #tokenizers = new Map<string, Promise<TokenizerThread>>();

  /** @param onUnusable observer of tokenizers that this process cannot run */
  constructor(registry: ModelRegistry, onUnusable: (reason: string) => void = () => {}) {
    this.#registry = registry;
    this.#onUnusable = onUnusable;
  }

  /**
   * Inputs over the model's limit, in order; `tokens` includes special tokens and the prompt. An input that cannot be
   * tokenised is not among them: the worker reports it.
   * @throws ApiError 503 `model_not_ready` when no worker has announced the tokenizer, or this process cannot run it
   */
  async tooLong(
    { card, lane, operation, spec }: Plan,
    inputs: readonly unknown[],
  ): Promise<(TokenCount & { readonly index: number })[]> {
    const tokenizer = await this.#tokenizer(card.fingerprint);
    const options = { prompt: spec.prompt, truncate: spec.truncate, maxTokens: card.maxTokens, lane };
    const encoded = await tokenizer.encode(
      inputs.map((input) => operation.texts(input)),
      options,
    );
    return encoded.flatMap((one, index) => {
      if (one instanceof Error || one.length <= card.maxTokens) return [];
      return [{ index, tokens: one.length, isLowerBound: one.lengthIsLowerBound ?? false }];
    });
  }

  /** Tokens of a text by itself, special tokens included. @returns null when this process cannot count them */
  async count(card: ModelCard, lane: Lane, text: string): Promise<TokenCount | null> {
    const tokenizer = await this.#tokenizer(card.fingerprint).catch((error: unknown) => {
      if (error instanceof ApiError) return null;
      throw error;
    });
    if (tokenizer === null) return null;
    const [one] = await tokenizer.encode([[text]], { prompt: '', truncate: 'end', maxTokens: card.maxTokens, lane });
    if (one === undefined || one instanceof Error) return null;
    return { tokens: one.length, isLowerBound: one.lengthIsLowerBound ?? false };
  }

  async close(): Promise<void> {
    for (const tokenizer of this.#tokenizers.values()) await tokenizer.then((one) => one.close()).catch(() => {});
  }

  #tokenizer(fingerprint: string): Promise<TokenizerThread> {
    let tokenizer = this.#tokenizers.get(fingerprint);
    if (tokenizer === undefined) {
      tokenizer = this.#start(fingerprint);
      tokenizer.catch(() => this.#tokenizers.delete(fingerprint));
      this.#tokenizers.set(fingerprint, tokenizer);
    }
    return tokenizer;
  }

  async #start(fingerprint: string): Promise<TokenizerThread> {
    const files = await this.#registry.tokenizerFiles(fingerprint);
    if (files === null) throw modelNotReady('No worker has announced the tokenizer of this model yet');
    try {
      return await TokenizerThread.start(files as TokenizerFiles);
    } catch (error) {
      if (!(error instanceof BootError)) throw error;
      this.#onUnusable(error.message);
      throw new ApiError({
        status: 503,
        code: 'model_not_ready',
        param: 'truncate',
        message:
          'This API process cannot count the tokens of this model, for a reason in its log: use another `truncate`.',
      });
    }
  }
}
