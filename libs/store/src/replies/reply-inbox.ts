import type { Keys } from '#contracts';
import type { RedisClient } from '../redis/client.js';
import { decodeReply, type Reply } from './reply-codec.js';

/** How often to check for replies whose notification was lost, ms. */
const POLL_MS = 1000;
/** Maximum number of task ids kept whose notification came before `wait` was called. */
const MAX_EARLY = 1000;

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * The inbox of one API process: resolves each wait when the reply to its task has arrived. Replies are announced by
 * pub/sub; because pub/sub loses messages when the connection breaks, the inbox polls for replies as well.
 */
export class ReplyInbox {
  readonly #reader: RedisClient;
  readonly #keys: Keys;
  readonly #waiting = new Map<string, (reply: Buffer) => void>();
  readonly #early = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  /**
   * @param subscriber of role `subscriber`
   * @param reader of role `command`
   */
  constructor(subscriber: RedisClient, reader: RedisClient, keys: Keys, apiId: string) {
    this.#reader = reader;
    this.#keys = keys;
    const channel = keys.replies(apiId);
    subscriber.on('messageBuffer', (from: Buffer, notification: Buffer) => {
      if (from.toString() === channel) this.#arrived(notification);
    });
    // After an outage, check for replies once the subscription is active, so that none is missed in between.
    const listen = () =>
      void subscriber.subscribe(channel).then(
        () => this.#pollAll(),
        () => {
          // Rejects only when the connection is closed for good; until then ioredis retries.
        },
      );
    subscriber.on('ready', listen);
    reader.on('ready', () => void this.#pollAll());
    listen();
    this.#timer = setInterval(() => void this.#pollAll(), POLL_MS);
    this.#timer.unref();
  }

  /** Number of tasks whose reply is awaited. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Waits for a task's reply. Preferably called before the task is enqueued; else a notification may cost a read.
   * @returns the reply; `late` after `timeoutMs`; `cancelled` when the signal aborts
   */
  async wait(taskId: string, { timeoutMs, signal }: WaitOptions): Promise<Reply | 'late' | 'cancelled'> {
    const answer = new Promise<Reply | 'late' | 'cancelled'>((resolve) => {
      const end = (outcome: Reply | 'late' | 'cancelled') => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
        this.#waiting.delete(taskId);
        resolve(outcome);
      };
      const cancel = () => end('cancelled');
      // A last check, in case the notification was lost.
      const timer = setTimeout(() => void this.#read(taskId).finally(() => end('late')), timeoutMs);
      this.#waiting.set(taskId, (reply) => end(decodeReply(reply)));
      signal?.addEventListener('abort', cancel);
      if (signal?.aborted) cancel();
    });
    if (this.#early.delete(taskId)) void this.#read(taskId);
    return answer;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #arrived(notification: Buffer): void {
    const end = notification.indexOf(0);
    const taskId = notification.toString('utf8', 0, end < 0 ? notification.length : end);
    if (this.#waiting.has(taskId)) {
      if (end < 0) void this.#read(taskId);
      else this.#take(taskId, notification.subarray(end + 1));
      return;
    }
    this.#early.add(taskId);
    if (this.#early.size > MAX_EARLY) for (const oldest of this.#early) return void this.#early.delete(oldest);
  }

  async #pollAll(): Promise<void> {
    if (this.#waiting.size === 0 || this.#reader.status !== 'ready') return;
    await Promise.all([...this.#waiting.keys()].map((taskId) => this.#read(taskId)));
  }

  /** A failed read is ignored: the next check repeats it. */
  async #read(taskId: string): Promise<void> {
    const reply = await this.#reader.getBuffer(this.#keys.reply(taskId)).catch(() => null);
    if (reply !== null) this.#take(taskId, reply);
  }

  #take(taskId: string, reply: Buffer): void {
    this.#waiting.get(taskId)?.(reply);
    this.#reader.unlink(this.#keys.reply(taskId)).catch(() => {
      // It expires by itself.
    });
  }
}
