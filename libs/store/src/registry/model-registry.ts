import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { type Keys, type ModelCard, readModelCard } from '#contracts';
import type { RedisClient } from '../redis/client.js';

/** How long the tokenizer of a replaced model is kept for API processes that still have its card, s. */
const REPLACED_TTL_SECONDS = 3600;

/** Model cards and tokenizers that workers announce, so that API processes need no model files. */
export class ModelRegistry {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** @param tokenizerFiles JSON value; stored compressed, since a tokenizer may have 17 MB */
  async announce(card: ModelCard, tokenizerFiles: unknown): Promise<void> {
    const packed = await promisify(gzip)(JSON.stringify(tokenizerFiles));
    const replaced = (await this.card(card.name))?.fingerprint;
    await this.#redis.set(this.#keys.tokenizer(card.fingerprint), packed);
    await this.#redis.set(this.#keys.model(card.name), JSON.stringify(card));
    await this.#redis.sadd(this.#keys.models(), card.name);
    if (replaced !== undefined && (await this.list()).every(({ fingerprint }) => fingerprint !== replaced)) {
      await this.#redis.expire(this.#keys.tokenizer(replaced), REPLACED_TTL_SECONDS);
    }
  }

  /** null when no worker has ever announced the model. */
  async card(name: string): Promise<ModelCard | null> {
    const json = await this.#redis.get(this.#keys.model(name));
    return json === null ? null : readModelCard(JSON.parse(json));
  }

  /** All announced models, sorted by name. */
  async list(): Promise<ModelCard[]> {
    const names = await this.#redis.smembers(this.#keys.models());
    const cards = await Promise.all(names.sort().map((name) => this.card(name)));
    return cards.filter((card) => card !== null);
  }

  /** The tokenizer files as announced; null when there are none. */
  async tokenizerFiles(fingerprint: string): Promise<unknown> {
    const packed = await this.#redis.getBuffer(this.#keys.tokenizer(fingerprint));
    return packed === null ? null : (JSON.parse((await promisify(gunzip)(packed)).toString('utf8')) as unknown);
  }
}
