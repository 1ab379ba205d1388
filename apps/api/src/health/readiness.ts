import { LANES, type Readiness, within, type WorkerRecord } from '#contracts';
import type { LaneControl } from '#queue';
import type { ModelRegistry, WorkerRegistry } from '#store';
import type { Redis } from 'ioredis';

/** Longest a check waits for Redis, ms: a probe wants an answer, not patience. */
const PATIENCE_MS = 2000;

/** Whether this process can do its work: Redis answers, and every model has at least one worker. */
export class ReadinessCheck {
  readonly #redis: Redis;
  readonly #cards: ModelRegistry;
  readonly #workers: WorkerRegistry;
  readonly #lanes: LaneControl;
  readonly #models: readonly string[];
  #closing = false;

  constructor(
    redis: Redis,
    cards: ModelRegistry,
    workers: WorkerRegistry,
    lanes: LaneControl,
    models: readonly string[],
  ) {
    this.#redis = redis;
    this.#cards = cards;
    this.#workers = workers;
    this.#lanes = lanes;
    this.#models = models;
  }

  /** From now on it is not ready: no new requests are to come while it shuts down. */
  close(): void {
    this.#closing = true;
  }

  async look(): Promise<Readiness> {
    const missing: string[] = this.#closing ? ['shutting down'] : [];
    const models: Record<string, number> = Object.fromEntries(this.#models.map((name) => [name, 0]));
    const paused: string[] = [];
    try {
      await within(PATIENCE_MS, this.#redis.ping());
      const workers = await this.#workers.list();
      for (const name of this.#models) {
        const card = await this.#cards.card(name);
        const serving = workers.filter(({ models: served }) => served[name] !== undefined);
        const ready = serving.filter(({ state }) => state === 'ready');
        models[name] = ready.filter(({ models: served }) => served[name] === card?.fingerprint).length;
        if (models[name] === 0) missing.push(`no worker serves model "${name}"${outOfService(serving)}`);
        for (const lane of LANES) if (await this.#lanes.isPaused(name, lane)) paused.push(`${name}/${lane}`);
      }
      return { ready: missing.length === 0, redis: 'up', models, paused, missing };
    } catch (error) {
      missing.push(`Redis does not answer: ${(error as Error).message}`);
      return { ready: false, redis: 'down', models, paused, missing };
    }
  }
}

/** Why those that are there do not serve. */
function outOfService(workers: readonly WorkerRecord[]): string {
  return workers
    .flatMap(({ host, pid, reason }) =>
      reason === null ? [] : [`; ${host}, process ${pid}, is out of service: ${reason}`],
    )
    .join('');
}
