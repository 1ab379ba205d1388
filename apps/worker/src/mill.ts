import { isFinal, specHash, textHash } from '#contracts';
import type { Keys, Lane, ModelCard, Task, TextError, TextResult } from '#contracts';
import type { Engine, TextSignal } from '#inference';
import { decodeRow, encodeRow, rowBytes } from '#store';
import type { Aborts, EmbeddingCache, FailedPlaces, JobStore, Replies } from '#store';
import { describeSpan, inSpan } from '#telemetry';
import { TaskClock } from './task-clock.js';
import { CANCELLED, InFlight } from './in-flight.js';
import type { Computed, Outcome } from './in-flight.js';
import type { LiveTask, LiveTasks } from './live-tasks.js';

/** How long what the API found in the cache is taken for true, ms. */
const FRESH_MS = 50;

/** Errors of texts that may do better another time. */
const RETRIABLE: ReadonlySet<TextError['code']> = new Set(['inference_failed', 'task_failed']);

/** What a mill works with. */
export interface MillParts {
  readonly card: ModelCard;
  readonly engine: Pick<Engine, 'embed'>;
  readonly keys: Keys;
  readonly cache: EmbeddingCache;
  readonly jobs: JobStore;
  readonly replies: Replies;
  readonly aborts: Aborts;
  readonly live: LiveTasks;
  readonly count: MillCounts;
}

/** Told of what happened to texts on their way. */
export interface MillCounts {
  lookups(hits: number, misses: number): void;
  dropped(texts: number): void;
  /** Failed, and not by inference. */
  givenUp(texts: number): void;
}

/**
 * A mill takes the tasks of one model from the queue to the result store. This is the worker's whole path:
 * still wanted? -> in flight already? -> in the cache? -> compute -> cache -> job results or reply.
 *
 * A text's own fault is an outcome of that text. Only infrastructure throws, and then the queue tries again;
 * a task may run any number of times, on any number of workers at once: it counts once.
 */
export class Mill {
  readonly #parts: MillParts;
  readonly #inFlight = new InFlight();

  constructor(parts: MillParts) {
    this.#parts = parts;
  }

  /**
   * Returns when every text still wanted has its outcome stored.
   * @param leaving fires when this worker gives up what it holds. @throws its reason then, with nothing stored.
   */
  async process(task: Task, taskId: string, lane: Lane, leaving: AbortSignal): Promise<void> {
    const { card, count, keys, live } = this.#parts;
    if (task.spec.fingerprint !== card.fingerprint) return this.#giveUp(task, taskId, modelChanged(card));

    describeSpan({
      'embedmill.model': card.name,
      'embedmill.lane': lane,
      'embedmill.texts': task.texts.length,
      'embedmill.request_id': task.requestId,
    });
    const clock = task.kind === 'request' && task.timed === true ? new TaskClock(task) : undefined;
    const held = live.enter(task, taskId, leaving);
    let kept = Promise.resolve();
    try {
      const spec = specHash(task.spec);
      const cacheKeys = task.texts.map((text) => keys.vector(spec, textHash(text)));
      const unwantedDropped = this.#dropUnwanted(task, taskId, held);
      // In flight before the look into the cache: between that look and a later claim another task could finish them.
      const [outcomes] = await Promise.all([
        this.#inFlight.join(lane, cacheKeys, held.signals, async (fresh, wanted) => {
          const found = await this.#find(task, lane, fresh, cacheKeys, wanted, unwantedDropped, clock);
          kept = found.kept;
          return found;
        }),
        unwantedDropped,
      ]);
      leaving.throwIfAborted();

      const wanted = held.wanted();
      count.dropped(task.texts.length - wanted.length);
      if (wanted.length > 0) await this.#store(task, taskId, outcomes, clock);
      await kept;
    } finally {
      held.end();
    }
  }

  /** Every attempt at the task failed, or it took too many workers down: its texts are reported, so that nobody waits on. */
  async exhausted(task: Task, taskId: string, reason: Error): Promise<void> {
    await this.#giveUp(task, taskId, { code: 'task_failed', message: `gave up: ${reason.message}` });
  }

  async #giveUp(task: Task, taskId: string, error: TextError): Promise<void> {
    await this.#store(
      task,
      taskId,
      task.texts.map(() => error),
    );
    this.#parts.count.givenUp(task.texts.length);
  }

  async #dropUnwanted(task: Task, taskId: string, held: LiveTask): Promise<void> {
    if (task.kind === 'job') {
      const state = await this.#parts.jobs.state(task.jobId);
      if (state === null || isFinal(state)) held.dropAll();
    } else if (task.deadlineAt <= Date.now()) {
      held.dropAll();
    } else {
      held.drop(await this.#parts.aborts.dropped(taskId));
    }
  }

  /** From the cache, and computed where it has none. @param indexes which of the task's texts. */
  async #find(
    task: Task,
    lane: Lane,
    indexes: readonly number[],
    cacheKeys: readonly string[],
    signals: readonly TextSignal[],
    unwantedDropped: Promise<void>,
    clock: TaskClock | undefined,
  ): Promise<Computed> {
    const { cache, engine } = this.#parts;
    const outcomes: Outcome[] = wasJustLookedUp(task)
      ? indexes.map(() => CANCELLED)
      : await this.#lookUp(
          indexes.map((index) => cacheKeys[index]!),
          unwantedDropped,
        );
    const missing = [...outcomes.keys()].filter((n) => outcomes[n] === CANCELLED && !signals[n]!.aborted);
    if (missing.length === 0) return { outcomes, kept: Promise.resolve() };

    const { prompt, truncate } = task.spec;
    const texts = missing.map((n) => task.texts[indexes[n]!]!);
    const wanted = missing.map((n) => signals[n]!);
    const options = { prompt, truncate, lane, signals: wanted, onTimings: clock?.embedded };
    const results = await inSpan('compute', async (span) => {
      const embedded = await engine.embed(texts, options);
      span?.setAttributes({ 'embedmill.texts': texts.length, 'embedmill.tokens': tokensOf(embedded) });
      return embedded;
    });
    const rows: [string, Buffer][] = [];
    for (const [m, result] of results.entries()) {
      const n = missing[m]!;
      const outcome = result.ok ? encodeRow(result) : result.error;
      outcomes[n] = outcome;
      if (Buffer.isBuffer(outcome)) rows.push([cacheKeys[indexes[n]!]!, outcome]);
    }
    // Beside the answer, not before it: somebody may be waiting.
    return { outcomes, kept: rows.length > 0 ? cache.setMany(rows) : Promise.resolve() };
  }

  /** The cached row for each key; where there is none, `CANCELLED` for now. */
  #lookUp(keys: readonly string[], unwantedDropped: Promise<void>): Promise<Outcome[]> {
    const { cache, card, count } = this.#parts;
    return inSpan('lookup', async (span) => {
      const [cached] = await Promise.all([
        cache.getMany(keys),
        // Its failure is the task's, not that of others who wait for the same texts.
        unwantedDropped.catch(() => undefined),
      ]);
      const size = rowBytes(card.dimensions);
      const outcomes = cached.map((row) => (row?.length === size ? row : CANCELLED));
      const hits = outcomes.filter((outcome) => outcome !== CANCELLED).length;
      count.lookups(hits, outcomes.length - hits);
      span?.setAttributes({ 'embedmill.texts': keys.length, 'embedmill.cached': hits });
      return outcomes;
    });
  }

  #store(task: Task, taskId: string, outcomes: readonly Outcome[], clock?: TaskClock): Promise<void> {
    return inSpan('store', () => this.#keep(task, taskId, outcomes, clock));
  }

  async #keep(task: Task, taskId: string, outcomes: readonly Outcome[], clock?: TaskClock): Promise<void> {
    const { card, jobs, replies } = this.#parts;
    if (task.kind === 'request') {
      return replies.write(
        task,
        taskId,
        outcomes.map((outcome): TextResult =>
          Buffer.isBuffer(outcome) ? decodeRow(outcome, card.dimensions) : { ok: false, error: outcome },
        ),
        clock?.read(),
      );
    }
    const rows: { position: number; row: Buffer }[] = [];
    const errors: { position: number; error: TextError }[] = [];
    const failedTexts: FailedPlaces[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      const positions = task.positions[index]!;
      if (!Buffer.isBuffer(outcome) && RETRIABLE.has(outcome.code))
        failedTexts.push({ text: task.texts[index]!, positions });
      for (const position of positions) {
        if (Buffer.isBuffer(outcome)) rows.push({ position, row: outcome });
        else errors.push({ position, error: outcome });
      }
    }
    const { jobId, unit } = task;
    await jobs.acknowledge({ jobId, unit, cached: false, rowDimensions: card.dimensions, rows, errors, failedTexts });
  }
}

/** Somebody waits for it and the API has just looked: to look again would cost a round trip and find nothing. */
function wasJustLookedUp(task: Task): boolean {
  return task.kind === 'request' && Math.abs(Date.now() - task.acceptedAt) < FRESH_MS;
}

function tokensOf(results: readonly TextResult[]): number {
  return results.reduce((sum, result) => sum + (result.ok ? result.tokens : 0), 0);
}

function modelChanged(card: ModelCard): TextError {
  return {
    code: 'model_changed',
    message: `"${card.name}" has been replaced by another version since this text was accepted; send it again`,
  };
}
