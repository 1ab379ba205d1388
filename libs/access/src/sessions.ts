import { hash, randomBytes } from 'node:crypto';
import type { Keys } from '#contracts';
import type { RedisClient } from '#store';
import { z } from 'zod';

const TOKEN_BYTES = 32;
const SIGN_IN_WINDOW_SECONDS = 60;

const dashboardSessionSchema = z.object({ keyId: z.string(), csrfToken: z.string() });
/** A browser that signed in with an API key. */
export type DashboardSession = z.infer<typeof dashboardSessionSchema>;

/** Dashboard sessions in the queue's Redis, by the hash of what the cookie holds. */
export class Sessions {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #ttlSeconds: number;

  constructor(redis: RedisClient, keys: Keys, { ttlSeconds }: { ttlSeconds: number }) {
    this.#redis = redis;
    this.#keys = keys;
    this.#ttlSeconds = ttlSeconds;
  }

  /** @returns what the cookie is to hold, and the session */
  async create(keyId: string): Promise<{ token: string; session: DashboardSession }> {
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const session = { keyId, csrfToken: randomBytes(TOKEN_BYTES).toString('base64url') };
    await this.#redis.set(this.#key(token), JSON.stringify(session), 'EX', this.#ttlSeconds);
    return { token, session };
  }

  /** null when there is none, or no more. */
  async get(token: string): Promise<DashboardSession | null> {
    const json = await this.#redis.get(this.#key(token));
    return json === null ? null : dashboardSessionSchema.parse(JSON.parse(json));
  }

  async remove(token: string): Promise<void> {
    await this.#redis.del(this.#key(token));
  }

  /** Counts an attempt to sign in. @returns those of this address within the last minute, this one included */
  async attempt(address: string): Promise<number> {
    const key = this.#keys.signInAttempts(hash('sha256', address, 'base64url').slice(0, 20));
    // Its end is set before it counts: a counter that never ends would shut the address out for good.
    await this.#redis.set(key, 0, 'EX', SIGN_IN_WINDOW_SECONDS, 'NX');
    return this.#redis.incr(key);
  }

  #key(token: string): string {
    return this.#keys.session(hash('sha256', token, 'base64url'));
  }
}
