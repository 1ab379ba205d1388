import { HISTORY_RANGES, type HistoryRange, type Keys } from '#contracts';
import type { RedisClient } from '../redis/client.js';
import { type RedisCommand, exec } from '../redis/exec.js';
import { historyField, type HistoryCounts, type HistoryName, readHistoryFields } from './history-fields.js';

/** Counts are written once in a tick; every step of every range is a whole number of ticks. */
export const HISTORY_TICK_MS = 2000;
/** Ticks kept in memory while Redis is away. */
const MOST_PENDING_TICKS = 150;
/** Hashes outlive their range by this, for clocks that differ, s. */
const SLACK_SECONDS = 60;

const ranges = Object.entries(HISTORY_RANGES) as [HistoryRange, (typeof HISTORY_RANGES)[HistoryRange]][];

/** One step: what each model counted in it. */
export type HistoryStep = ReadonlyMap<string, HistoryCounts>;

/**
 * The history of what the deployment did, in one hash for each step of each range, which expires with its range.
 * Every process adds its own counts, so that none has to lead and a restart loses nothing. It is bookkeeping: it
 * never throws, and what cannot be written is dropped and counted.
 */
export class HistoryRecorder {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #beforeTick: ((tick: number) => void)[] = [];
  /** Field -> amount. */
  #current = new Map<string, number>();
  /** Tick -> field -> amount, not written yet. */
  readonly #pending = new Map<number, ReadonlyMap<string, number>>();
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;

  /** @param redis of role `command`: it must fail fast */
  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** What was not recorded so far: writes, and looks at the queue. */
  get failures(): number {
    return this.#failures;
  }

  /** Adds to what happens now. @param amount whole */
  add(model: string, name: HistoryName, amount = 1): void {
    if (amount === 0) return;
    const field = historyField(model, name);
    this.#current.set(field, (this.#current.get(field) ?? 0) + amount);
  }

  /** Called at the end of every tick, before its counts are taken, with the tick's number since the epoch. */
  beforeTick(listener: (tick: number) => void): void {
    this.#beforeTick.push(listener);
  }

  start(): void {
    const untilNext = HISTORY_TICK_MS - (Date.now() % HISTORY_TICK_MS);
    this.#timer = setTimeout(() => {
      this.start();
      void this.#tick();
    }, untilNext);
    this.#timer.unref();
  }

  /** Something that was to be recorded was not. */
  missed(): void {
    this.#failures++;
  }

  /** Writes what was counted and not written yet. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#tick();
  }

  /** Adds to a tick that has ended. */
  async write(tick: number, amounts: ReadonlyMap<string, number>): Promise<void> {
    const earlier = this.#pending.get(tick);
    this.#pending.set(tick, earlier === undefined ? amounts : sum([earlier, amounts]));
    for (const oldest of this.#pending.keys()) {
      if (this.#pending.size <= MOST_PENDING_TICKS) break;
      this.#pending.delete(oldest);
    }
    // Without a connection the counts wait; with one they are handed over once, since a repeated command counts twice.
    if (this.#redis.status !== 'ready') return;
    const pending = [...this.#pending];
    this.#pending.clear();
    try {
      await this.#send(pending);
    } catch {
      this.missed();
    }
  }

  /**
   * Whether this process is the one to look at the queue for a tick: the first that asks is, so that the cost does not
   * grow with the number of processes.
   */
  async claim(tick: number): Promise<boolean> {
    const key = this.#keys.historyClaim(tick);
    return (await this.#redis.set(key, '1', 'EX', 10, 'NX')) === 'OK';
  }

  async #tick(): Promise<void> {
    const tick = Math.floor(Date.now() / HISTORY_TICK_MS) - 1;
    for (const listener of this.#beforeTick) listener(tick);
    const amounts = this.#current;
    this.#current = new Map();
    if (amounts.size > 0 || this.#pending.size > 0) await this.write(tick, amounts);
  }

  async #send(ticks: readonly (readonly [tick: number, amounts: ReadonlyMap<string, number>])[]): Promise<void> {
    const commands: RedisCommand[] = [];
    for (const [range, { stepSeconds, steps }] of ranges) {
      const bySteps = new Map<number, ReadonlyMap<string, number>[]>();
      for (const [tick, amounts] of ticks) {
        const step = Math.floor((tick * HISTORY_TICK_MS) / (stepSeconds * 1000));
        bySteps.set(step, [...(bySteps.get(step) ?? []), amounts]);
      }
      for (const [step, amounts] of bySteps) {
        const key = this.#keys.history(range, step);
        for (const [field, amount] of sum(amounts)) commands.push(['hincrby', key, field, amount]);
        commands.push(['expire', key, stepSeconds * (steps + 1) + SLACK_SECONDS]);
      }
    }
    await exec(this.#redis, commands);
  }
}

function sum(all: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const total = new Map<string, number>();
  for (const amounts of all) {
    for (const [field, amount] of amounts) total.set(field, (total.get(field) ?? 0) + amount);
  }
  return total;
}

/** Reads what all processes recorded. */
export class HistoryReader {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Steps `[from, from + count)` by their number since the epoch; null for one of which nothing is known. */
  async steps(range: HistoryRange, from: number, count: number): Promise<(HistoryStep | null)[]> {
    const keys = Array.from({ length: count }, (_, n) => this.#keys.history(range, from + n));
    const hashes = await exec(
      this.#redis,
      keys.map((key) => ['hgetall', key]),
    );
    return hashes.map((fields) => {
      const models = readHistoryFields(fields as Record<string, string>);
      return models.size === 0 ? null : models;
    });
  }
}
