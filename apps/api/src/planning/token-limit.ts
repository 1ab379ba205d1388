import { TokenizerThread, type TokenizerFiles } from '#model';
import type { ModelRegistry } from '#store';
import type { TokenCount } from '../input/too-long.js';
import { modelNotReady } from './model-directory.js';
import type { Plan } from './planner.js';

/** Finds texts over a model's token limit, for `truncate: error`. Uses the tokenizer that workers announced. */
export class TokenLimit {
  readonly #registry: ModelRegistry;
  readonly #tokenizers = new Map<string, Promise<TokenizerThread>>();

  constructor(registry: ModelRegistry) {
    this.#registry = registry;
  }

  /**
   * Inputs over the model's limit, in order; `tokens` includes special tokens and the prompt. An input that cannot be
   * tokenised is not among them: the worker reports it.
   * @throws ApiError 503 `model_not_ready` when no worker has announced the tokenizer
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
    if (files !== null) return TokenizerThread.start(files as TokenizerFiles);
    throw modelNotReady('No worker has announced the tokenizer of this model yet');
  }
}
