import { randomUUID } from 'node:crypto';
import { type PlacedInput, type RequestTask, specHash, TASK_FORMAT, TASK_LIMITS, type TaskLimits } from '#contracts';
import { cutTasks, type LaneProducer, type LaneTask } from '#queue';
import type { Cancellations, ReplyInbox } from '#store';
import { type Computed, PendingRequest, type Want } from './pending-request.js';
import { type OnDrop, PendingTask, type Place } from './pending-task.js';

/** How long a small request waits for others to share its task, ms; only while other requests are under way. */
const WINDOW_MS = 1;
/** Extra wait for a reply after the task's deadline, ms, since the worker checks the deadline by its own clock. */
const GRACE_MS = 250;

export interface CoalescerParts {
  readonly producer: LaneProducer;
  readonly inbox: ReplyInbox;
  readonly cancellations: Cancellations;
  readonly apiId: string;
  readonly waitTimeoutMs: number;
  /** Observer of inputs that were dropped because no request waits for them any more. */
  readonly onDropped: (model: string, inputs: number) => void;
  readonly windowMs?: number;
  readonly taskLimits?: TaskLimits;
}

/** A request got no answer within `waitTimeoutMs`. */
export class WaitTimeout extends Error {
  override readonly name = 'WaitTimeout';
}

interface Group {
  readonly requests: PendingRequest[];
  inputs: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Puts the inputs of interactive requests into tasks. Small concurrent requests with the same lane, model and spec
 * share a task, which costs the queue far less; a request that is alone is sent at once.
 */
export class Coalescer {
  readonly #parts: CoalescerParts;
  readonly #windowMs: number;
  readonly #taskLimits: TaskLimits;
  readonly #groups = new Map<string, Group>();
  #underWay = 0;
  #shared = 0;

  constructor(parts: CoalescerParts) {
    this.#parts = parts;
    this.#windowMs = parts.windowMs ?? WINDOW_MS;
    this.#taskLimits = parts.taskLimits ?? TASK_LIMITS;
  }

  /** Total requests that shared a task with others. */
  get shared(): number {
    return this.#shared;
  }

  /**
   * Enqueues the inputs and waits for all outcomes.
   * @throws WaitTimeout; the signal's reason; the error of enqueueing
   */
  async compute(want: Want): Promise<Computed> {
    want.signal.throwIfAborted();
    this.#underWay++;
    try {
      const request = new PendingRequest(want);
      this.#join(request);
      return await request.computed;
    } finally {
      this.#underWay--;
    }
  }

  #join(request: PendingRequest): void {
    const { inputs, lane, model, spec } = request.want;
    const key = `${lane} ${model} ${specHash(spec)}`;
    const group: Group = this.#groups.get(key) ?? { requests: [], inputs: 0, timer: undefined };
    group.requests.push(request);
    group.inputs += inputs.length;
    const alone = this.#underWay === 1;
    if (alone || this.#windowMs === 0 || group.inputs >= this.#taskLimits.maxInputs) {
      clearTimeout(group.timer);
      this.#groups.delete(key);
      this.#send(group.requests);
      return;
    }
    this.#groups.set(key, group);
    group.timer ??= setTimeout(() => {
      this.#groups.delete(key);
      this.#send(group.requests);
    }, this.#windowMs);
  }

  #send(group: readonly PendingRequest[]): void {
    const live = group.filter((request) => !request.gone);
    const [first] = live;
    if (first === undefined) return;
    if (live.length > 1) this.#shared += live.length;
    for (const { trace } of live) if (trace !== first.trace) trace.linkTo(first.trace);

    const { operation } = first.want;
    const { distinct, places } = collapse(live, operation.key);
    const tasks = cutTasks(distinct, operation, this.#taskLimits).map(
      ({ inputs, positions }) =>
        new PendingTask(
          this.#laneTask(first.want, inputs),
          positions.map((at) => at.map((place) => places[place]!)),
          this.#drop,
        ),
    );
    for (const task of tasks) void this.#await(task);
    const enqueued = first.trace.run(() => this.#parts.producer.enqueue(tasks.map(({ laneTask }) => laneTask)));
    enqueued.catch((error: unknown) => {
      for (const task of tasks) task.fail(error);
    });
  }

  #laneTask({ lane, model, requestId, spec }: Want, inputs: unknown[]): LaneTask {
    const now = Date.now();
    const task: RequestTask = {
      v: TASK_FORMAT,
      kind: 'request',
      model,
      spec,
      inputs,
      acceptedAt: now,
      requestId,
      apiId: this.#parts.apiId,
      deadlineAt: now + this.#parts.waitTimeoutMs,
    };
    return { id: randomUUID(), lane, task };
  }

  async #await(task: PendingTask): Promise<void> {
    const { inbox, waitTimeoutMs } = this.#parts;
    const reply = await inbox.wait(task.laneTask.id, { timeoutMs: waitTimeoutMs + GRACE_MS, signal: task.over });
    if (reply === 'late') task.late(new WaitTimeout(`no answer within ${waitTimeoutMs} ms`));
    else if (reply !== 'cancelled') task.settle(reply);
  }

  readonly #drop: OnDrop = ({ id, lane, task }, indexes, all) => {
    const { cancellations, onDropped, producer } = this.#parts;
    onDropped(task.model, indexes.length);
    const dropping = async () => {
      await cancellations.drop(id, indexes);
      if (all) await producer.remove(task.model, lane, [id]);
    };
    // Best effort: an input that is not dropped is computed in vain, and its row goes to the cache.
    dropping().catch(() => {});
  };
}

/** Collapses equal inputs of all requests into one input of a task. `positions` are indexes into `places`. */
function collapse(
  requests: readonly PendingRequest[],
  keyOf: (input: unknown) => string,
): { distinct: PlacedInput[]; places: Place[] } {
  const places: Place[] = [];
  const byKey = new Map<string, PlacedInput>();
  for (const request of requests) {
    for (const [index, input] of request.want.inputs.entries()) {
      const place = places.push({ request, index }) - 1;
      const known = byKey.get(keyOf(input));
      if (known) known.positions.push(place);
      else byKey.set(keyOf(input), { input, positions: [place] });
    }
  }
  return { distinct: [...byKey.values()], places };
}
