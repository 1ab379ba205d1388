import { ApiError, isFinal, type JobRecord, type JobState, type JobTask, jobTaskId, type TextError } from '#contracts';
import { cutTasks, type LaneProducer, type LaneTask, type PlacedText, type TaskLimits } from '#queue';
import type { JobStore, PlacedRow } from '#store';
import type { Lookup, Plan, Planner } from '../planning/planner.js';
import { newJobId } from './job-id.js';
import { jobPath } from './job-view.js';
import type { TextWindow } from './text-windows.js';

/** Where an open job puts its work. */
export interface OpenJobParts {
  readonly planner: Planner;
  readonly store: JobStore;
  readonly producer: LaneProducer;
  readonly taskLimits: TaskLimits;
  /** Told of texts that were accepted. */
  readonly count: (model: string, texts: number) => void;
}

/** A text that gets an error for an answer, by its index in the window. */
export interface RefusedText {
  readonly index: number;
  readonly error: TextError;
}

/**
 * An open job is one whose texts are still coming in. Its record is made with the first window, so that a request
 * that is refused at once leaves nothing behind.
 */
export class OpenJob {
  readonly id = newJobId();
  readonly plan: Plan;
  readonly #parts: OpenJobParts;
  /** Units of work so far: tasks, and writes of texts that need none. Each is counted once, however often it runs. */
  #units = 0;
  #accepted = 0;
  #created = false;

  constructor(plan: Plan, parts: OpenJobParts) {
    this.plan = plan;
    this.#parts = parts;
  }

  /** Whether there is a record of it. */
  get created(): boolean {
    return this.#created;
  }
  /** Texts accepted so far. */
  get accepted(): number {
    return this.#accepted;
  }
  get units(): number {
    return this.#units;
  }

  /**
   * Accepts a window: what the cache knows is settled at once, what is refused as well, the rest becomes tasks.
   * When this returns the queue has it all.
   * @throws ApiError 409 `job_ended` when the job was cancelled or expired meanwhile.
   */
  async submit(window: TextWindow, refused: readonly RefusedText[] = []): Promise<void> {
    const { planner, store, producer } = this.#parts;
    const { hits, misses } = sortTexts(window, await planner.lookup(this.plan, window.texts), refused);
    const errors = refused.map(({ index, error }) => ({ position: window.from + index, error }));
    const tasks = this.#tasksFor(misses);
    const settled = hits.length + errors.length > 0 ? this.#units++ : null;

    if (!this.#created) await this.#create();
    this.#requireOpen(await store.accept(this.id, window.texts.length, tasks.length + (settled === null ? 0 : 1)));
    this.#accepted += window.texts.length;
    this.#parts.count(this.plan.card.name, window.texts.length);
    const rowDimensions = this.plan.card.dimensions;
    await Promise.all([
      producer.enqueue(tasks),
      settled === null ||
        store.acknowledge({ jobId: this.id, unit: settled, cached: true, rowDimensions, rows: hits, errors }),
    ]);
  }

  /** Refreshes the record, as an upload that is alive but has nothing to say must do every minute. */
  async touch(): Promise<void> {
    if (this.#created) this.#requireOpen(await this.#parts.store.accept(this.id, 0));
  }

  /** Ends the upload. @returns the record, final already if everything was in the cache. */
  async seal(): Promise<JobRecord> {
    await this.#parts.store.seal(this.id);
    const job = await this.#parts.store.get(this.id);
    if (job === null) throw new Error(`job ${this.id} is gone right after its upload`);
    return job;
  }

  async #create(): Promise<void> {
    const { caller, card, spec, output, lane } = this.plan;
    await this.#parts.store.create({
      id: this.id,
      model: card.name,
      spec,
      rowDimensions: card.dimensions,
      output,
      lane,
      tenant: caller.tenant,
      keyId: caller.keyId,
    });
    this.#created = true;
  }

  #requireOpen(state: JobState): void {
    if (!isFinal(state)) return;
    throw new ApiError({
      status: 409,
      code: 'job_ended',
      message: `Job ${this.id} is ${state}; the rest of the upload was not read.`,
      headers: { Location: jobPath(this.id) },
      details: { job_id: this.id, accepted: this.#accepted },
    });
  }

  #tasksFor(misses: readonly PlacedText[]): LaneTask[] {
    const { caller, card, spec, lane, requestId } = this.plan;
    const acceptedAt = Date.now();
    return cutTasks(misses, this.#parts.taskLimits).map(({ texts, positions }) => {
      const unit = this.#units++;
      const task: JobTask = {
        kind: 'job',
        model: card.name,
        spec,
        texts,
        acceptedAt,
        requestId,
        jobId: this.id,
        unit,
        positions,
      };
      return { id: jobTaskId(this.id, unit), lane, task, holder: caller.keyId ?? undefined };
    });
  }
}

/** Tells texts whose row the cache has from those that must be computed, each with its places in the job. */
function sortTexts(
  window: TextWindow,
  { distinct, row: rows }: Lookup,
  refused: readonly RefusedText[],
): { hits: PlacedRow[]; misses: PlacedText[] } {
  const hits: PlacedRow[] = [];
  const misses: PlacedText[] = [];
  const refusedIndexes = new Set(refused.map(({ index }) => index));
  for (const [at, { text, positions }] of distinct.entries()) {
    if (refusedIndexes.has(positions[0]!)) continue;
    const places = positions.map((position) => window.from + position);
    const row = rows[at];
    if (row) for (const position of places) hits.push({ position, row });
    else misses.push({ text, positions: places });
  }
  return { hits, misses };
}
