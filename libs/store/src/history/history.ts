import { HISTORY_RANGES, type HistoryRange, type Keys } from '#contracts';
import type { RedisClient } from '../redis/client.js';
import { type RedisCommand, exec } from '../redis/exec.js';
import { historyField, type HistoryCounts, type HistoryName, readHistoryFields } from './history-fields.js';

/** Counts are written once per tick; every step of every range is a whole number of ticks. */
export const HISTORY_TICK_MS = 2000;
/** Maximum number of ticks kept in memory while Redis is away. */
const MOST_PENDING_TICKS = 150;
/** Hashes outlive their range by this much, to allow for clock differences, s. */
const SLACK_SECONDS = 60;

const ranges = Object.entries(HISTORY_RANGES) as [HistoryRange, (typeof HISTORY_RANGES)[HistoryRange]][];

/** One step of history: model -> its counts. */
export type HistoryStep = ReadonlyMap<string, HistoryCounts>;

/**
 * Records what the deployment did: one hash per step of each range, which expires with its range. Every process adds
 * its own counts, so no leader is needed and a restart loses nothing. Recording never fails its caller: counts that
 * cannot be written are dropped, and `failures` counts that.
 */
export class HistoryRecorder {
  readonly #redis: RedisClient;
  readonly #keys: Keys;
  readonly #beforeTick: ((tick: number) => void)[] = [];
  /** Counts of the current tick: field -> amount. */
  #current = new Map<string, number>();
  /** Counts not written yet: tick -> field -> amount. */
  readonly #pending = new Map<number, ReadonlyMap<string, number>>();
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;

  /** @param redis of role `command`: it must fail fast */
  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Number of failed writes and failed samples of queue depth so far. */
  get failures(): number {
    return this.#failures;
  }

  /** Adds to a count of the current tick. @param amount a whole number */
  add(model: string, name: HistoryName, amount = 1): void {
    if (amount === 0) return;
    const field = historyField(model, name);
    this.#current.set(field, (this.#current.get(field) ?? 0) + amount);
  }

  /**
   * Calls the listener at the end of every tick, before its counts are taken.
   * @param listener gets the tick's number since the epoch
   */
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

  /** Counts a failure to record. */
  missed(): void {
    this.#failures++;
  }

  /** Stops recording and writes the remaining counts. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#tick();
  }

  /** Adds counts to a tick that has ended. */
  async write(tick: number, amounts: ReadonlyMap<string, number>): Promise<void> {
    const earlier = this.#pending.get(tick);
    this.#pending.set(tick, earlier === undefined ? amounts : sum([earlier, amounts]));
    for (const oldest of this.#pending.keys()) {
      if (this.#pending.size <= MOST_PENDING_TICKS) break;
      this.#pending.delete(oldest);
    }
    // Without a connection the counts are kept. They are sent only once, because a repeated command would count twice.
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
   * Whether this process must sample queue depth for a tick: true for the first process that calls it, so that the cost
   * does not grow with the number of processes. Rejects when Redis is away.
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

/** Reads the counts that all processes recorded. */
export class HistoryReader {
  readonly #redis: RedisClient;
  readonly #keys: Keys;

  constructor(redis: RedisClient, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Steps `[from, from + count)`, numbered since the epoch; null for a step without any counts. */
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
