import { isFinal, isRow, rowsOfFloats, rowTokens } from '#contracts';
import type {
  JobTask,
  Keys,
  Lane,
  ModelCard,
  Operation,
  Operations,
  Outcome,
  PlacedInput,
  Row,
  RowBytes,
  Task,
  TextError,
} from '#contracts';
import type { Engine, InputSignal } from '#inference';
import { cacheKeyOf, findRows } from '#store';
import type { Cancellations, JobLedger, PlacedRow, Replanned, Replies, RowCache } from '#store';
import { describeSpan, inSpan } from '#telemetry';
import type { LiveTask, LiveTasks } from './live-tasks.js';
import { CANCELLED, SingleFlight } from './single-flight.js';
import type { Computed } from './single-flight.js';
import { TaskClock } from './task-clock.js';

/** How long the API's own cache lookup counts as current, ms. */
const FRESH_MS = 50;

/** Errors of inputs that a job retry may fix. */
const RETRIABLE: ReadonlySet<TextError['code']> = new Set(['inference_failed', 'task_failed']);

/** Row size for acknowledgements without rows. */
const NO_ROWS = rowsOfFloats(0);

/** Dependencies of a task processor. */
export interface TaskProcessorParts {
  readonly card: ModelCard;
  readonly operations: Operations;
  readonly engine: Pick<Engine, 'run'>;
  readonly keys: Keys;
  readonly cache: RowCache;
  readonly jobs: JobLedger;
  readonly replies: Replies;
  readonly cancellations: Cancellations;
  readonly live: LiveTasks;
  readonly count: TaskCounts;
}

/** Observer of what happens to inputs. */
export interface TaskCounts {
  lookups(hits: number, misses: number): void;
  dropped(texts: number): void;
  /** Texts that failed without inference: the task was dead-lettered, or its model was replaced. */
  deadLettered(texts: number): void;
}

/** One task under way. */
interface Held {
  readonly task: Task;
  readonly taskId: string;
  readonly lane: Lane;
  readonly operation: Operation;
  readonly rowBytes: RowBytes;
  /** One for each input. */
  readonly cacheKeys: readonly string[];
  readonly clock: TaskClock;
}

/**
 * Processes the tasks of one model, from the queue to the result store. The steps of an input are:
 * still wanted? -> in flight already? -> in the cache? -> compute -> cache -> job results or reply.
 *
 * A fault of an input becomes the outcome of that input. Only infrastructure errors are thrown, and then the queue
 * retries the task. A task may run any number of times, on several workers at once: it counts once.
 */
export class TaskProcessor {
  readonly #parts: TaskProcessorParts;
  readonly #singleFlight = new SingleFlight();

  constructor(parts: TaskProcessorParts) {
    this.#parts = parts;
  }

  /**
   * Returns when every input still wanted has its outcome stored.
   * @param leaving aborts when this worker returns its tasks to the queue
   * @throws the reason of `leaving`, with nothing stored; infrastructure errors, for the queue to retry
   */
  async process(given: Task, taskId: string, lane: Lane, leaving: AbortSignal): Promise<void> {
    const { card, count, keys, live, operations } = this.#parts;
    const task = this.#ofThisVersion(given);
    if (task === null) return this.#fail(given, taskId, modelChanged(card));

    describeSpan({
      'embedmill.model': card.name,
      'embedmill.lane': lane,
      'embedmill.texts': task.inputs.length,
      'embedmill.request_id': task.requestId,
    });
    const operation = operations.of(task.spec);
    const cacheKeys = task.inputs.map(cacheKeyOf(keys, operation, task.spec));
    const clock = new TaskClock(task);
    const held: Held = { task, taskId, lane, operation, rowBytes: operation.rowBytes(card), cacheKeys, clock };
    const wanted = live.enter(task, taskId, leaving);
    let kept = Promise.resolve();
    try {
      const unwantedDropped = this.#dropUnwanted(held, wanted);
      // Join before the cache lookup: another task could finish an input between a lookup and a later join.
      const [outcomes, version] = await Promise.all([
        this.#singleFlight.join(lane, cacheKeys, wanted.signals, async (fresh, signals) => {
          const found = await this.#find(held, fresh, signals, unwantedDropped);
          kept = found.kept;
          return found;
        }),
        unwantedDropped,
      ]);
      leaving.throwIfAborted();
      if (version === 'begun') return await this.#fail(task, taskId, modelChanged(card));

      const left = wanted.wanted().length;
      count.dropped(task.inputs.length - left);
      if (left > 0) await inSpan('store', () => this.#store(task, taskId, outcomes, clock));
      await kept;
    } finally {
      wanted.end();
    }
  }

  /** Stores `task_failed` for all inputs of a dead-lettered task, so that no client waits for it any longer. */
  async failedPermanently(task: Task, taskId: string, reason: Error): Promise<void> {
    await this.#fail(task, taskId, { code: 'task_failed', message: `gave up: ${reason.message}` });
  }

  /**
   * The task for this worker's version of the model; `#dropUnwanted` finds out whether its job can have it.
   * @returns null when the task cannot be computed by this version
   */
  #ofThisVersion(task: Task): Task | null {
    const { card, operations } = this.#parts;
    if (task.spec.fingerprint === card.fingerprint) return task;
    // A waiting request's API process has decoded the card of the other version.
    if (task.kind === 'request' || !operations.of(task.spec).isServedBy(card)) return null;
    return { ...task, spec: { ...task.spec, fingerprint: card.fingerprint } };
  }

  async #fail(task: Task, taskId: string, error: TextError): Promise<void> {
    const outcomes = task.inputs.map(() => error);
    await inSpan('store', () => this.#store(task, taskId, outcomes, new TaskClock(task)));
    this.#parts.count.deadLettered(task.inputs.length);
  }

  /**
   * Drops the inputs that are no longer wanted. A job of another version of the model that has no rows yet is replanned
   * for this one.
   * @returns `begun` when the job has rows of another version, which must not mix with this one's: all is dropped
   */
  async #dropUnwanted({ rowBytes, task, taskId }: Held, wanted: LiveTask): Promise<Replanned | null> {
    const { cancellations, jobs } = this.#parts;
    if (task.kind === 'job') {
      const job = await jobs.standing(task.jobId);
      const over = job === null || isFinal(job.state);
      const isCurrent = job?.fingerprint === task.spec.fingerprint;
      const version = over ? 'over' : isCurrent ? 'replanned' : await jobs.replan(task.jobId, task.spec, rowBytes);
      if (version !== 'replanned') wanted.dropAll();
      return version;
    }
    if (task.deadlineAt <= Date.now()) wanted.dropAll();
    else wanted.drop(await cancellations.dropped(taskId));
    return null;
  }

  /**
   * Outcomes from the cache, computed where it has none.
   * @param indexes of the task's inputs; outcomes are in their order.
   */
  async #find(
    held: Held,
    indexes: readonly number[],
    signals: readonly InputSignal[],
    unwantedDropped: Promise<unknown>,
  ): Promise<Computed> {
    const { cache, engine } = this.#parts;
    const { cacheKeys, clock, lane, operation, task } = held;
    const rows = await this.#lookUp(held, indexes, unwantedDropped);
    const outcomes = rows.map((row): Outcome => row ?? CANCELLED);
    const missing = [...rows.keys()].filter((n) => rows[n] === null && !signals[n]!.aborted);
    if (missing.length === 0) return { outcomes, kept: Promise.resolve() };

    const { prompt, truncate } = task.spec;
    const texts = missing.map((n) => operation.texts(task.inputs[indexes[n]!]));
    const options = {
      prompt,
      truncate,
      lane,
      signals: missing.map((n) => signals[n]!),
      onTimings: clock.computed,
    };
    const computed = await inSpan('compute', async (span) => {
      const found = await engine.run(texts, options);
      span?.setAttributes({ 'embedmill.texts': texts.length, 'embedmill.tokens': tokensOf(found) });
      return found;
    });
    const fresh: [string, Row][] = [];
    for (const [m, outcome] of computed.entries()) {
      const n = missing[m]!;
      outcomes[n] = outcome;
      if (isRow(outcome)) fresh.push([cacheKeys[indexes[n]!]!, outcome]);
    }
    // Not awaited here: a client may be waiting for the answer.
    return { outcomes, kept: fresh.length > 0 ? cache.setMany(fresh) : Promise.resolve() };
  }

  /** The cached row of each input; null where there is none. */
  async #lookUp(
    { cacheKeys, rowBytes, task }: Held,
    indexes: readonly number[],
    unwantedDropped: Promise<unknown>,
  ): Promise<(Row | null)[]> {
    const { cache, count } = this.#parts;
    if (wasJustLookedUp(task)) return indexes.map(() => null);
    return inSpan('lookup', async (span) => {
      const keys = indexes.map((index) => cacheKeys[index]!);
      const [rows] = await Promise.all([
        findRows(cache, keys, rowBytes),
        // `process` handles its failure, which must not fail other tasks that wait for the same inputs.
        unwantedDropped.catch(() => undefined),
      ]);
      const hits = rows.filter((row) => row !== null).length;
      count.lookups(hits, rows.length - hits);
      span?.setAttributes({ 'embedmill.texts': keys.length, 'embedmill.cached': hits });
      return rows;
    });
  }

  async #store(task: Task, taskId: string, outcomes: readonly Outcome[], clock: TaskClock): Promise<void> {
    if (task.kind === 'job') await this.#acknowledge(task, outcomes);
    else await this.#parts.replies.write(task, taskId, { outcomes, timings: clock.read() });
  }

  async #acknowledge({ inputs, jobId, positions, spec, unit }: JobTask, outcomes: readonly Outcome[]): Promise<void> {
    const { card, jobs, operations } = this.#parts;
    const rows: PlacedRow[] = [];
    const errors: { position: number; error: TextError }[] = [];
    const failedInputs: PlacedInput[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      const places = positions[index]!;
      if (!isRow(outcome) && RETRIABLE.has(outcome.code))
        failedInputs.push({ input: inputs[index], positions: places });
      for (const position of places) {
        if (isRow(outcome)) rows.push({ position, row: outcome });
        else errors.push({ position, error: outcome });
      }
    }
    const { fingerprint } = spec;
    const rowBytes = rows.length === 0 ? NO_ROWS : operations.of(spec).rowBytes(card);
    const unitOfWork = { jobId, unit, cached: false, fingerprint, rowBytes, rows, errors, failedInputs };
    const { counted } = await jobs.acknowledge(unitOfWork);
    // Another worker replanned the job meanwhile, as while this one drains. The retry is for its version.
    if (counted === 'other-version') throw new Error(`job ${jobId} was replanned for another version of its model`);
  }
}

/** Whether the API looked the inputs up just now: a second lookup would cost a round trip and find nothing. */
function wasJustLookedUp(task: Task): boolean {
  return task.kind === 'request' && Math.abs(Date.now() - task.acceptedAt) < FRESH_MS;
}

function tokensOf(outcomes: readonly Outcome[]): number {
  return outcomes.reduce((sum, outcome) => sum + (isRow(outcome) ? rowTokens(outcome) : 0), 0);
}

function modelChanged(card: ModelCard): TextError {
  return {
    code: 'model_changed',
    message: `"${card.name}" has been replaced by another version since this text was accepted; send it again`,
  };
}
