import { type Readiness, within, type WorkerRecord } from '#contracts';
import type { RedisClient } from '#store';
import type { Closing } from './closing.js';
import type { Fleet } from './fleet.js';

/** Longest wait for Redis, ms: a probe needs a quick answer. */
const PATIENCE_MS = 2000;

/** Readiness of this process: Redis answers, and every model has at least one ready worker. */
export class ReadinessCheck {
  readonly #redis: RedisClient;
  readonly #fleet: Fleet;
  readonly #models: readonly string[];
  readonly #closing: Closing;

  /** @param closing once the shutdown begins, the process is not ready, so that it gets no new requests */
  constructor(redis: RedisClient, fleet: Fleet, models: readonly string[], closing: Closing) {
    this.#redis = redis;
    this.#fleet = fleet;
    this.#models = models;
    this.#closing = closing;
  }

  async read(): Promise<Readiness> {
    const missing: string[] = this.#closing.signal.aborted ? ['shutting down'] : [];
    const models: Record<string, number> = Object.fromEntries(this.#models.map((name) => [name, 0]));
    try {
      await within(PATIENCE_MS, this.#redis.ping());
      for (const { all, name, ready } of await this.#fleet.workers()) {
        models[name] = ready.length;
        if (ready.length === 0) missing.push(`no worker serves model "${name}"${outOfService(all)}`);
      }
      const paused = await this.#fleet.pausedLanes();
      return { ready: missing.length === 0, redis: 'up', models, paused, missing };
    } catch (error) {
      missing.push(`Redis does not answer: ${(error as Error).message}`);
      return { ready: false, redis: 'down', models, paused: [], missing };
    }
  }
}

/** Why the workers of a model do not serve it. */
function outOfService(workers: readonly WorkerRecord[]): string {
  return workers
    .flatMap(({ host, pid, reason }) =>
      reason === null ? [] : [`; ${host}, process ${pid}, is out of service: ${reason}`],
    )
    .join('');
}
