import { hash, randomBytes } from 'node:crypto';
import type { Keys } from '#contracts';
import type { RedisClient } from '#store';
import { z } from 'zod';

const TOKEN_BYTES = 32;
const SIGN_IN_WINDOW_SECONDS = 60;

const dashboardSessionSchema = z.object({ keyId: z.string(), csrfToken: z.string() });
/** The session of a browser that signed in with an API key. */
export type DashboardSession = z.infer<typeof dashboardSessionSchema>;

/** Dashboard sessions in the queue's Redis, by the hash of the token in the cookie. */
export class Sessions {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #ttlSeconds: number;

  constructor(redis: RedisClient, keys: Keys, { ttlSeconds }: { ttlSeconds: number }) {
    this.#redis = redis;
    this.#keys = keys;
    this.#ttlSeconds = ttlSeconds;
  }

  /** @returns the session, and the token for the cookie */
  async create(keyId: string): Promise<{ token: string; session: DashboardSession }> {
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const session = { keyId, csrfToken: randomBytes(TOKEN_BYTES).toString('base64url') };
    await this.#redis.set(this.#key(token), JSON.stringify(session), 'EX', this.#ttlSeconds);
    return { token, session };
  }

  /** null when there is no such session, or it has expired. */
  async get(token: string): Promise<DashboardSession | null> {
    const json = await this.#redis.get(this.#key(token));
    return json === null ? null : dashboardSessionSchema.parse(JSON.parse(json));
  }

  async remove(token: string): Promise<void> {
    await this.#redis.del(this.#key(token));
  }

  /** Counts a sign-in attempt. @returns the attempts of this address in the current minute window, this one included */
  async attempt(address: string): Promise<number> {
    const key = this.#keys.signInAttempts(hash('sha256', address, 'base64url').slice(0, 20));
    // A transaction: a counter that expired in between would start again without an expiry, and lock the address out.
    const replies = await this.#redis.multi().set(key, 0, 'EX', SIGN_IN_WINDOW_SECONDS, 'NX').incr(key).exec();
    const [error, attempts] = replies?.at(-1) ?? [new Error('no reply')];
    if (error) throw error;
    return Number(attempts);
  }

  #key(token: string): string {
    return this.#keys.session(hash('sha256', token, 'base64url'));
  }
}
