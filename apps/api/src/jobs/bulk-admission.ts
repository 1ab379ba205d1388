import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, type Caller } from '#contracts';
import type { JobList } from '#store';
import type { Fleet } from '../operation/fleet.js';
import { excessOf } from '../planning/share.js';

/** Maximum age of a count, and how often a slowed upload checks again, ms. */
const COUNT_AGE_MS = 250;
const LOOK_AGAIN_MS = 500;
/** `Retry-After`: value while no worker reports a rate (`unknown`), and bounds, s. */
const RETRY_SECONDS = { unknown: 30, least: 1, most: 600 };

/** Unfinished texts of a model by API key; `''` for jobs without a key. */
type TextsByKey = Map<string, number>;

/**
 * Admission control of jobs: limits the unfinished texts of all jobs of a model to `EMBED_MAX_QUEUED_TEXTS`. Above
 * that, a JSON job is refused with `Retry-After`, and an upload is slowed. API keys share the limit evenly, see
 * `excessOf`.
 */
export class BulkAdmission {
  readonly #jobs: Pick<JobList, 'activeTexts'>;
  readonly #fleet: Pick<Fleet, 'textsPerSecond'>;
  readonly #limit: number;
  #counted: { at: number; texts: Promise<Map<string, TextsByKey>> } | null = null;

  constructor(jobs: Pick<JobList, 'activeTexts'>, fleet: Pick<Fleet, 'textsPerSecond'>, limit: number) {
    this.#jobs = jobs;
    this.#fleet = fleet;
    this.#limit = limit;
  }

  /**
   * Admits texts, of any number while none are unfinished.
   * @throws ApiError 429 `queue_full`; `Retry-After` is the time that the fleet needs to work off the excess.
   */
  async require(model: string, caller: Pick<Caller, 'keyId'>, texts: number): Promise<void> {
    const excess = await this.#excess(model, caller, texts);
    if (excess <= 0) return;
    throw new ApiError({
      status: 429,
      code: 'queue_full',
      message:
        `${this.#limit - texts + excess} texts of model ${model} are waiting, and ${texts} more would exceed the ` +
        `${this.#limit} that may wait (EMBED_MAX_QUEUED_TEXTS). Come back later, or upload application/x-ndjson, which is slowed instead.`,
      retryAfter: await this.#secondsUntilRoom(model, excess),
    });
  }

  /** Waits until there is room for one more text. @throws the signal's reason. */
  async wait(model: string, caller: Pick<Caller, 'keyId'>, signal: AbortSignal): Promise<void> {
    while ((await this.#excess(model, caller, 1)) > 0) {
      signal.throwIfAborted();
      await sleep(LOOK_AGAIN_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  /**
   * Adds accepted texts to the current count, so that a fast upload cannot run far over the limit until the next one.
   */
  took(model: string, { keyId }: Pick<Caller, 'keyId'>, texts: number): void {
    void this.#counted?.texts.then((counts) => add(counts, model, keyId ?? '', texts)).catch(() => undefined);
  }

  /** Texts that must be finished before so many texts of this caller are admitted; 0: there is room. */
  async #excess(model: string, { keyId }: Pick<Caller, 'keyId'>, texts: number): Promise<number> {
    const byKey = (await this.#unfinished()).get(model) ?? new Map<string, number>();
    return excessOf(this.#limit, byKey, keyId ?? '', texts);
  }

  async #secondsUntilRoom(model: string, excess: number): Promise<number> {
    const rate = await this.#fleet.textsPerSecond(model);
    if (rate === 0) return RETRY_SECONDS.unknown;
    return Math.min(RETRY_SECONDS.most, Math.max(RETRY_SECONDS.least, Math.ceil(excess / rate)));
  }

  /** Concurrent uploads share one count. */
  #unfinished(): Promise<Map<string, TextsByKey>> {
    const now = performance.now();
    if (this.#counted === null || now - this.#counted.at > COUNT_AGE_MS) {
      this.#counted = { at: now, texts: this.#count() };
    }
    return this.#counted.texts;
  }

  async #count(): Promise<Map<string, TextsByKey>> {
    const counts = new Map<string, TextsByKey>();
    for (const { model, byKey } of await this.#jobs.activeTexts()) {
      for (const [key, texts] of byKey) add(counts, model, key, texts);
    }
    return counts;
  }
}

function add(counts: Map<string, TextsByKey>, model: string, key: string, texts: number): void {
  let byKey = counts.get(model);
  if (byKey === undefined) counts.set(model, (byKey = new Map()));
  byKey.set(key, (byKey.get(key) ?? 0) + texts);
}
