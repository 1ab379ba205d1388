import { ApiError, isRow, type Outcome, type Row, type TaskTimings, type TextError } from '#contracts';
import type { LaneControl } from '#queue';
import type { RowCache } from '#store';
import type { Inputs } from '../input/inputs.js';
import { textTooLong } from '../input/too-long.js';
import type { Plan, Planner } from '../planning/planner.js';
import type { TokenLimit } from '../planning/token-limit.js';
import type { InteractiveAdmission } from './admission.js';
import { type Coalescer, WaitTimeout } from './coalescer.js';
import type { Computed } from './pending-request.js';

/** Rows of a request's inputs, in order. */
export interface Answer {
  readonly rows: readonly Row[];
  /** Whether each row came from the cache. */
  readonly cached: readonly boolean[];
  /** Time until the cache lookup was done, ms. */
  readonly lookupMs: number;
  /** The worker's timings; null when nothing had to be computed. */
  readonly timings: TaskTimings | null;
}

/** Observer of interactive requests. */
export interface WaitCounts {
  accepted(model: string, endpoint: 'embeddings', texts: number): void;
  waited(model: string, seconds: number): void;
}

export interface InteractiveParts {
  readonly planner: Planner;
  readonly tokenLimit: TokenLimit;
  readonly coalescer: Coalescer;
  readonly admission: InteractiveAdmission;
  readonly lanes: LaneControl;
  /** The in-memory cache of this process; computed rows are added to it. */
  readonly near: RowCache;
  readonly count: WaitCounts;
}

/** Computes the inputs of interactive requests: cache hits at once, the rest through the queue. */
export class Interactive {
  readonly #parts: InteractiveParts;

  constructor(parts: InteractiveParts) {
    this.#parts = parts;
  }

  /**
   * @throws ApiError when an input is refused or fails, on a timeout, or when too many texts wait; the signal's reason
   */
  async compute(plan: Plan, inputs: Inputs, signal: AbortSignal): Promise<Answer> {
    const { count, near, planner } = this.#parts;
    const began = performance.now();
    if (plan.refuseTooLong) await this.#requireShort(plan, inputs);
    count.accepted(plan.card.name, 'embeddings', inputs.length);
    const { distinct, row } = await planner.lookup(plan, inputs.values);
    const lookupMs = performance.now() - began;
    const rows: Row[] = Array.from({ length: inputs.length });
    for (const [n, { positions }] of distinct.entries()) {
      const hit = row[n] ?? null;
      if (hit !== null) for (const position of positions) rows[position] = hit;
    }
    const cached = Array.from(rows, (hit) => hit !== undefined);
    const missing = distinct.filter((_, n) => row[n] === null);
    if (missing.length === 0) return { rows, cached, lookupMs, timings: null };

    const { outcomes, timings } = await this.#wait(
      plan,
      missing.map(({ input }) => input),
      signal,
    );
    const fresh: [string, Row][] = [];
    for (const [n, { key, positions }] of missing.entries()) {
      const computed = requireRow(outcomes[n]!, inputs.param(positions[0]!));
      fresh.push([key, computed]);
      for (const position of positions) rows[position] = computed;
    }
    await near.setMany(fresh);
    return { rows, cached, lookupMs, timings };
  }

  async #wait(plan: Plan, inputs: readonly unknown[], signal: AbortSignal): Promise<Computed> {
    const { admission, coalescer, count } = this.#parts;
    const { caller, card, lane, operation, requestId, spec } = plan;
    const leave = admission.enter(card.name, caller.keyId, inputs.length);
    const began = performance.now();
    let answered = false;
    try {
      const want = { model: card.name, operation, spec, lane, requestId, inputs, signal };
      const computed = await coalescer.compute(want);
      answered = true;
      count.waited(card.name, (performance.now() - began) / 1000);
      return computed;
    } catch (error) {
      throw error instanceof WaitTimeout ? await this.#timedOut(plan, error) : error;
    } finally {
      leave(answered);
    }
  }

  async #timedOut({ card, lane }: Plan, cause: WaitTimeout): Promise<ApiError> {
    // If Redis cannot answer, the outage more likely caused the timeout than a pause.
    if (await this.#parts.lanes.isPaused(card.name, lane).catch(() => false)) {
      return new ApiError({
        status: 504,
        code: 'lane_paused',
        message: `An operator has paused the ${lane} lane of model "${card.name}", and there was ${cause.message} (EMBED_WAIT_TIMEOUT_MS). Try again when it is resumed.`,
        retryAfter: 30,
        cause,
      });
    }
    return new ApiError({
      status: 504,
      code: 'wait_timeout',
      message: `There was ${cause.message} (EMBED_WAIT_TIMEOUT_MS). Try again, or use POST /v1/jobs, which waits as long as it takes.`,
      retryAfter: 5,
      cause,
    });
  }

  async #requireShort(plan: Plan, inputs: Inputs): Promise<void> {
    const [first] = await this.#parts.tokenLimit.tooLong(plan, inputs.values);
    if (first !== undefined) throw textTooLong(inputs.param(first.index), first, plan.card);
  }
}

/** Codes of workers for what is the request's fault. */
const REFUSED: readonly TextError['code'][] = ['text_too_complex', 'prompt_too_long'];

function requireRow(outcome: Outcome, param: string): Row {
  if (isRow(outcome)) return outcome;
  const { code, message } = outcome;
  const changed = code === 'model_changed';
  throw new ApiError({
    status: changed ? 503 : REFUSED.includes(code) ? 400 : 500,
    code,
    param,
    message,
    ...(changed ? { retryAfter: 1 } : {}),
  });
}
