import { EventEmitter, once } from 'node:events';
import { type Job, Queue, QueueEvents, Worker } from 'bullmq';
import { embed, encodeRow, Keys, OPERATIONS, type Outcome, readTask, type RequestTask } from '#contracts';
import { consumerOptions, LaneProducer } from '#queue';
import {
  type Cancellation,
  CancellationListener,
  Cancellations,
  connectRedis,
  type RedisClient,
  Replies,
  ReplyInbox,
} from '#store';
import { Coalescer, type CoalescerParts } from './coalescer.js';
import type { Want } from './pending-request.js';

/** Longer than a test may take: what waits for it, waits for ever. */
export const ENDLESS_MS = 600_000;
const TIMINGS = { queueMs: 1, tokenizeMs: 2, batchMs: 3, inferenceMs: 4 };
const SPEC = { operation: 'embed', fingerprint: 'f'.repeat(64), prompt: '', truncate: 'end' } as const;

/** What a worker was given and has not answered yet. */
export interface HeldTask {
  readonly id: string;
  readonly task: RequestTask;
  /** Ends its BullMQ job. */
  readonly end: () => void;
}

/** A row of one float. */
export function rowOf(value: number): Outcome {
  return encodeRow(Float32Array.of(value), 1, false);
}

/** A worker on the real queue that holds every task until the test answers it. */
class HoldingWorker {
  readonly held: HeldTask[] = [];
  readonly #arrivals = new EventEmitter();
  readonly #replies: Replies;
  readonly #worker: Worker;

  constructor(redis: RedisClient, keys: Keys) {
    this.#replies = new Replies(redis, keys);
    const options = consumerOptions({ concurrency: 100, lockMs: 60_000 });
    this.#worker = new Worker(keys.queue('m', 'interactive'), (job) => this.#hold(job), {
      ...options,
      connection: redis,
      prefix: keys.queuePrefix(),
    });
  }

  /** Waits until it has been given so many tasks. */
  async given(count: number): Promise<readonly HeldTask[]> {
    while (this.held.length < count) await once(this.#arrivals, 'task');
    return this.held;
  }

  /** Waits for the task that has an input. */
  async taskOf(input: string): Promise<HeldTask> {
    for (;;) {
      const found = this.held.find(({ task }) => task.inputs.includes(input));
      if (found !== undefined) return found;
      await once(this.#arrivals, 'task');
    }
  }

  /** Default: a row of one float for each text, the length of prompt and text. */
  async answer({ end, id, task }: HeldTask, outcomes?: readonly Outcome[]): Promise<void> {
    const { inputs, spec } = task;
    const lengths = inputs.map((text) => rowOf(spec.prompt.length + (text as string).length));
    await this.#replies.write(task, id, { outcomes: outcomes ?? lengths, timings: TIMINGS });
    end();
  }

  /** Lets go of what it holds, without an answer. */
  close(): Promise<void> {
    return this.#worker.close(true);
  }

  #hold({ data, id }: Job): Promise<void> {
    return new Promise((end) => {
      this.held.push({ id: id!, task: readTask(data, OPERATIONS) as RequestTask, end });
      this.#arrivals.emit('task');
    });
  }
}

/** A coalescer with a queue of its own on a real Redis, and ears for what becomes of its tasks. */
export async function coalescerOver(url: string, name: string, options: Partial<CoalescerParts> = {}) {
  const keys = new Keys(name);
  const redis = connectRedis(url, 'worker', 'test');
  const subscriber = connectRedis(url, 'subscriber', 'test');
  const connection = { connection: redis, prefix: keys.queuePrefix() };
  const queue = new Queue(keys.queue('m', 'interactive'), connection);
  const events = new QueueEvents(queue.name, { ...connection, lastEventId: '0-0' });
  const inbox = new ReplyInbox(subscriber, redis, keys, 'api');
  const cancellations = new Cancellations(redis, keys);
  const dropped: [model: string, inputs: number][] = [];
  const heard: Cancellation[] = [];
  const news = new EventEmitter();
  new CancellationListener(subscriber, keys).onCancel((one) => {
    heard.push(one);
    news.emit('heard');
  });
  // Subscriptions of one connection are answered in order: afterwards all news is heard.
  await subscriber.subscribe('test');
  await events.waitUntilReady();
  const enqueued = new Set<string>();
  events.on('waiting', ({ jobId }) => {
    enqueued.add(jobId);
    news.emit('enqueued');
  });
  const removed = new Set<string>();
  events.on('removed', ({ jobId }) => {
    removed.add(jobId);
    news.emit('removed');
  });

  const coalescer = new Coalescer({
    producer: new LaneProducer(() => queue, { operations: OPERATIONS, attempts: 1 }),
    inbox,
    cancellations,
    apiId: 'api',
    windowMs: 5,
    waitTimeoutMs: 10_000,
    taskLimits: { maxInputs: 4, maxBytes: 1000 },
    onDropped: (model, inputs) => dropped.push([model, inputs]),
    ...options,
  });
  let worker: HoldingWorker | undefined;
  const closing = new AbortController();

  return {
    coalescer,
    queue,
    inbox,
    redis,
    dropped,
    /** A request of one kind, unless `more` says otherwise; its client goes when the test is over. */
    ask(inputs: readonly string[], more: Partial<Want> & { prompt?: string } = {}) {
      const { prompt = '', ...want } = more;
      const asked = coalescer.compute({
        model: 'm',
        operation: embed,
        spec: { ...SPEC, prompt },
        lane: 'interactive',
        requestId: `for ${inputs.join(' ')}`,
        inputs,
        signal: closing.signal,
        ...want,
      });
      asked.catch(() => {});
      return asked;
    },
    startWorker: () => (worker = new HoldingWorker(redis, keys)),
    /** Every cancellation that was published before this call. */
    async cancelled(): Promise<Cancellation[]> {
      const isEnd = (one: Cancellation) => 'jobId' in one && one.jobId === 'the end';
      await cancellations.cancelJob('the end');
      while (!heard.some(isEnd)) await once(news, 'heard');
      return heard.filter((one) => !isEnd(one));
    },
    /** Waits for the next cancellation, if none has come. */
    async firstCancelled(): Promise<Cancellation> {
      while (heard.length === 0) await once(news, 'heard');
      return heard[0]!;
    },
    /** Waits until so many tasks have been enqueued. @returns their ids */
    async enqueued(count: number): Promise<string[]> {
      while (enqueued.size < count) await once(news, 'enqueued');
      return [...enqueued];
    },
    /** Waits until a task has been taken out of the queue. */
    async removed(taskId: string): Promise<void> {
      while (!removed.has(taskId)) await once(news, 'removed');
    },
    async close(): Promise<void> {
      // Whoever still waits would keep the process alive.
      closing.abort(new Error('the test is over'));
      await worker?.close();
      inbox.close();
      await events.close();
      await queue.close();
      redis.disconnect();
      subscriber.disconnect();
    },
  };
}
