import {
  ApiError,
  isFinal,
  type JobRecord,
  type JobState,
  type JobTask,
  jobTaskId,
  type PlacedInput,
  TASK_FORMAT,
  TASK_LIMITS,
  type TextError,
} from '#contracts';
import { cutTasks, type LaneProducer, type LaneTask } from '#queue';
import type { JobLedger, PlacedRow } from '#store';
import type { Lookup, Plan, Planner } from '../planning/planner.js';
import { newJobId } from './job-id.js';
import { jobPath } from './job-view.js';
import type { InputWindow } from './input-windows.js';

/** Services that an open job uses. */
export interface OpenJobParts {
  readonly planner: Planner;
  readonly jobs: JobLedger;
  readonly producer: LaneProducer;
  /** Observer of accepted texts. */
  readonly count: (model: string, texts: number) => void;
}

/** An input that fails without being computed, by its index in the window. */
export interface RefusedInput {
  readonly index: number;
  readonly error: TextError;
}

/**
 * A job whose inputs are still being accepted. Its record is created with the first window, so that a request that is
 * refused at once leaves nothing behind.
 */
export class OpenJob {
  readonly id = newJobId();
  readonly plan: Plan;
  readonly #parts: OpenJobParts;
  /** Units of work so far: tasks, and writes of inputs that need no task. Each counts once, however often it runs. */
  #units = 0;
  #accepted = 0;
  #created = false;

  constructor(plan: Plan, parts: OpenJobParts) {
    this.plan = plan;
    this.#parts = parts;
  }

  /** Whether the job has a record. */
  get created(): boolean {
    return this.#created;
  }
  /** Inputs accepted so far. */
  get accepted(): number {
    return this.#accepted;
  }
  get units(): number {
    return this.#units;
  }

  /**
   * Accepts a window: cache hits and refused inputs are stored at once, the rest becomes tasks. When it returns, Redis
   * has acknowledged all of them.
   * @throws ApiError 409 `job_ended` when the job was cancelled or has expired.
   */
  async submit(window: InputWindow, refused: readonly RefusedInput[] = []): Promise<void> {
    const { jobs, planner, producer } = this.#parts;
    const { hits, misses, placedHits } = sortInputs(window, await planner.lookup(this.plan, window.inputs), refused);
    const errors = refused.map(({ index, error }) => ({ position: window.from + index, error }));
    const tasks = this.#tasksFor(misses);
    const settled = hits.length + errors.length > 0 ? this.#units++ : null;

    if (!this.#created) await this.#create();
    this.#requireOpen(await jobs.accept(this.id, window.inputs.length, tasks.length + (settled === null ? 0 : 1)));
    this.#accepted += window.inputs.length;
    this.#parts.count(this.plan.card.name, window.inputs.length);
    await Promise.all([producer.enqueue(tasks), settled === null || this.#settle(settled, hits, placedHits, errors)]);
  }

  /** Stores the rows and errors of inputs that need no task. */
  async #settle(
    unit: number,
    rows: readonly PlacedRow[],
    inputs: readonly PlacedInput[],
    errors: readonly { position: number; error: TextError }[],
  ): Promise<void> {
    const { jobs, producer } = this.#parts;
    const { card, operation, spec } = this.plan;
    const unitOfWork = {
      jobId: this.id,
      unit,
      cached: true,
      fingerprint: spec.fingerprint,
      rowBytes: operation.rowBytes(card),
      errors,
    };
    const { counted } = await jobs.acknowledge({ ...unitOfWork, rows });
    if (counted !== 'other-version') return;
    // The model was replaced during the upload and workers replanned the job: these rows are of no use to it.
    const tasks = this.#tasksFor(inputs);
    this.#requireOpen(await jobs.accept(this.id, 0, tasks.length));
    await Promise.all([producer.enqueue(tasks), errors.length > 0 && jobs.acknowledge({ ...unitOfWork, rows: [] })]);
  }

  /** Shows that the upload is alive. Without a window or this call for one minute, the job counts as abandoned. */
  async touch(): Promise<void> {
    if (this.#created) this.#requireOpen(await this.#parts.jobs.accept(this.id, 0));
  }

  /** Ends the upload. @returns the record, which is already final if all rows came from the cache. */
  async seal(): Promise<JobRecord> {
    await this.#parts.jobs.seal(this.id);
    const job = await this.#parts.jobs.get(this.id);
    if (job === null) throw new Error(`job ${this.id} is gone right after its upload`);
    return job;
  }

  async #create(): Promise<void> {
    const { caller, card, lane, operation, output, prompt, spec } = this.plan;
    await this.#parts.jobs.create({
      id: this.id,
      model: card.name,
      spec,
      prompt,
      rowBytes: operation.rowBytes(card),
      output,
      lane,
      tenant: caller.tenant,
      keyId: caller.keyId,
    });
    this.#created = true;
  }

  #requireOpen(state: JobState): void {
    if (isFinal(state)) throw this.#ended(state);
  }

  #ended(how: string): ApiError {
    return new ApiError({
      status: 409,
      code: 'job_ended',
      message: `Job ${this.id} is ${how}; the rest of the upload was not read.`,
      headers: { Location: jobPath(this.id) },
      details: { job_id: this.id, accepted: this.#accepted },
    });
  }

  #tasksFor(misses: readonly PlacedInput[]): LaneTask[] {
    const { caller, card, lane, operation, requestId, spec } = this.plan;
    const acceptedAt = Date.now();
    return cutTasks(misses, operation, TASK_LIMITS).map(({ inputs, positions }) => {
      const unit = this.#units++;
      const task: JobTask = {
        v: TASK_FORMAT,
        kind: 'job',
        model: card.name,
        spec,
        inputs,
        acceptedAt,
        requestId,
        jobId: this.id,
        unit,
        positions,
      };
      return { id: jobTaskId(this.id, unit), lane, task, keyId: caller.keyId ?? undefined };
    });
  }
}

/** Splits inputs into cache hits and misses, with their positions in the job. Refused inputs are left out. */
function sortInputs(
  window: InputWindow,
  { distinct, row: rows }: Lookup,
  refused: readonly RefusedInput[],
): { hits: PlacedRow[]; placedHits: PlacedInput[]; misses: PlacedInput[] } {
  const hits: PlacedRow[] = [];
  const placedHits: PlacedInput[] = [];
  const misses: PlacedInput[] = [];
  const refusedIndexes = new Set(refused.map(({ index }) => index));
  for (const [at, { input, positions }] of distinct.entries()) {
    if (refusedIndexes.has(positions[0]!)) continue;
    const places = positions.map((position) => window.from + position);
    const row = rows[at];
    if (row) {
      for (const position of places) hits.push({ position, row });
      placedHits.push({ input, positions: places });
    } else misses.push({ input, positions: places });
  }
  return { hits, placedHits, misses };
}
