import { randomUUID } from 'node:crypto';
import {
  type EmbeddingSpec,
  type Lane,
  type RequestTask,
  specHash,
  type TaskTimings,
  type TextError,
  type TextResult,
} from '#contracts';
import { cutTasks, type LaneTask, type TaskLimits } from '#queue';
import { currentTrace, type TraceHandle } from '#telemetry';

/** Texts of one waiting request that have to be computed. */
export interface Want {
  readonly model: string;
  readonly spec: EmbeddingSpec;
  readonly lane: Lane;
  /** For the log of the worker. */
  readonly requestId: string;
  readonly texts: readonly string[];
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** Told where the workers' time went, once for each task. Default: they take no time of it. */
  readonly onTimings?: ((timings: TaskTimings) => void) | undefined;
}

/** Where tasks go and replies come from. */
export interface TaskExchange {
  enqueue(tasks: readonly LaneTask[]): Promise<void>;
  /** @returns the results in the order of the task's texts, or `timeout` */
  reply(taskId: string, signal: AbortSignal, onTimings?: Want['onTimings']): Promise<TextResult[] | 'timeout'>;
  /** Nobody waits for these texts of a task any more. */
  drop(task: LaneTask, indexes: readonly number[]): void;
}

export interface CoalescerOptions {
  readonly apiId: string;
  /** How long small requests wait for others to share a task with, ms. */
  readonly windowMs: number;
  readonly waitTimeoutMs: number;
  readonly taskLimits: TaskLimits;
}

/** The time given to a request is over. */
export class WaitTimeout extends Error {
  override readonly name = 'WaitTimeout';
}

interface Waiting {
  readonly want: Want;
  readonly trace: TraceHandle;
  readonly results: (TextResult | undefined)[];
  missing: number;
  resolve(results: TextResult[]): void;
  reject(error: unknown): void;
}

interface Group {
  readonly waiting: Waiting[];
  texts: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Makes tasks of the texts of waiting requests. Small concurrent requests of one kind share a task, which costs the
 * queue a fraction; a request that comes alone goes at once.
 */
export class Coalescer {
  readonly #exchange: TaskExchange;
  readonly #options: CoalescerOptions;
  readonly #groups = new Map<string, Group>();
  #underWay = 0;
  #shared = 0;

  constructor(exchange: TaskExchange, options: CoalescerOptions) {
    this.#exchange = exchange;
    this.#options = options;
  }

  /** Requests that shared a task with others so far. */
  get shared(): number {
    return this.#shared;
  }

  /**
   * One result for each text, in order.
   * @throws WaitTimeout; the signal's reason; what the queue says when it takes nothing
   */
  async compute(want: Want): Promise<TextResult[]> {
    want.signal.throwIfAborted();
    this.#underWay++;
    try {
      return await new Promise((resolve, reject) => {
        const results = want.texts.map(() => undefined);
        this.#join({ want, trace: currentTrace(), results, missing: want.texts.length, resolve, reject });
      });
    } finally {
      this.#underWay--;
    }
  }

  #join(waiting: Waiting): void {
    const { lane, model, onTimings, spec, texts } = waiting.want;
    const key = `${lane} ${model} ${specHash(spec)}${onTimings === undefined ? '' : ' timed'}`;
    const group: Group = this.#groups.get(key) ?? { waiting: [], texts: 0, timer: undefined };
    group.waiting.push(waiting);
    group.texts += texts.length;
    const alone = this.#underWay === 1;
    if (alone || this.#options.windowMs === 0 || group.texts >= this.#options.taskLimits.maxTexts) {
      clearTimeout(group.timer);
      this.#groups.delete(key);
      this.#send(group.waiting);
      return;
    }
    this.#groups.set(key, group);
    group.timer ??= setTimeout(() => {
      this.#groups.delete(key);
      this.#send(group.waiting);
    }, this.#options.windowMs);
  }

  #send(group: readonly Waiting[]): void {
    const live = group.filter((one) => {
      if (one.want.signal.aborted) one.reject(one.want.signal.reason);
      return !one.want.signal.aborted;
    });
    const [first] = live;
    if (first === undefined) return;
    if (live.length > 1) this.#shared += live.length;

    // A place is one text of one request: all places with the same text share a row of the task.
    const places: { waiting: Waiting; index: number }[] = [];
    const byText = new Map<string, number[]>();
    for (const waiting of live) {
      for (const [index, text] of waiting.want.texts.entries()) {
        const place = places.push({ waiting, index }) - 1;
        const known = byText.get(text);
        if (known) known.push(place);
        else byText.set(text, [place]);
      }
    }
    const distinct = [...byText].map(([text, positions]) => ({ text, positions }));
    const tasks = cutTasks(distinct, this.#options.taskLimits).map(({ texts, positions }) => ({
      task: this.#task(first.want, texts),
      rows: positions.map((row) => row.map((place) => places[place]!)),
    }));
    const done = new AbortController();
    const answered = tasks.map(({ task, rows }) => this.#await(task, rows, done.signal));
    for (const { trace } of live) if (trace !== first.trace) trace.linkTo(first.trace);
    const enqueued = first.trace.run(() => this.#exchange.enqueue(tasks.map(({ task }) => task)));
    enqueued.catch((error: unknown) => {
      done.abort(error);
      for (const waiting of live) waiting.reject(error);
    });
    void Promise.all(answered);
  }

  #task({ lane, model, onTimings, requestId, spec }: Want, texts: string[]): LaneTask {
    const now = Date.now();
    const task: RequestTask = {
      kind: 'request',
      model,
      spec,
      texts,
      acceptedAt: now,
      requestId,
      apiId: this.#options.apiId,
      deadlineAt: now + this.#options.waitTimeoutMs,
      ...(onTimings === undefined ? {} : { timed: true }),
    };
    return { id: randomUUID(), lane, task };
  }

  async #await(
    task: LaneTask,
    rows: readonly (readonly { waiting: Waiting; index: number }[])[],
    done: AbortSignal,
  ): Promise<void> {
    const ended = new AbortController();
    const requests = new Set(rows.flat().map(({ waiting }) => waiting));
    const dropped = new Set<number>();
    const dropUnwanted = () => {
      const fresh = rows.flatMap((row, index) =>
        !dropped.has(index) && row.every(({ waiting }) => waiting.want.signal.aborted) ? [index] : [],
      );
      for (const index of fresh) dropped.add(index);
      if (fresh.length > 0) this.#exchange.drop(task, fresh);
      if (dropped.size === rows.length) ended.abort();
    };
    const onAbort = [...requests].map((waiting) => {
      const abort = () => {
        waiting.reject(waiting.want.signal.reason);
        dropUnwanted();
      };
      waiting.want.signal.addEventListener('abort', abort, { once: true });
      return () => waiting.want.signal.removeEventListener('abort', abort);
    });
    const timed = [...requests].flatMap(({ want }) => (want.onTimings === undefined ? [] : [want.onTimings]));
    const onTimings = (timings: TaskTimings) => timed.forEach((tell) => tell(timings));
    const results = await this.#exchange.reply(
      task.id,
      AbortSignal.any([ended.signal, done]),
      timed.length > 0 ? onTimings : undefined,
    );
    for (const forget of onAbort) forget();
    if (results === 'timeout') {
      if (ended.signal.aborted || done.aborted) return;
      this.#exchange.drop(
        task,
        rows.flatMap((_, index) => (dropped.has(index) ? [] : [index])),
      );
      for (const waiting of requests)
        waiting.reject(new WaitTimeout(`no answer within ${this.#options.waitTimeoutMs} ms`));
      return;
    }
    for (const [index, row] of rows.entries()) for (const place of row) settle(place, results[index] ?? LOST);
  }
}

const LOST: { ok: false; error: TextError } = {
  ok: false,
  error: { code: 'task_failed', message: 'the worker gave no result for this text' },
};

function settle({ waiting, index }: { waiting: Waiting; index: number }, result: TextResult): void {
  if (waiting.results[index] !== undefined) return;
  waiting.results[index] = result;
  if (--waiting.missing === 0) waiting.resolve(waiting.results as TextResult[]);
}
