import type { Keys } from '#contracts';
import type { RedisClient } from '../redis/client.js';
import { decodeReply, type Reply } from './reply-codec.js';

/** How often replies are looked for whose news got lost, ms. */
const LOOK_EVERY_MS = 1000;
/** News that came before anybody waited for it, kept by task id. */
const EARLY_NEWS = 1000;

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * The inbox of one API process: wakes each waiting request when the reply to its task is there. Pub/sub brings the
 * news and forgets it when the connection breaks, so replies are looked for as well.
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
    subscriber.on('messageBuffer', (from: Buffer, news: Buffer) => {
      if (from.toString() === channel) this.#arrived(news);
    });
    // After an outage: once news comes again, so that none falls between the look and the subscription.
    const listen = () =>
      void subscriber.subscribe(channel).then(
        () => this.#lookForAll(),
        () => {
          // Only when the connection is closed for good; until then it is repeated.
        },
      );
    subscriber.on('ready', listen);
    reader.on('ready', () => void this.#lookForAll());
    listen();
    this.#timer = setInterval(() => void this.#lookForAll(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Tasks waited for. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Waits for a task's reply. Best called before the task is enqueued.
   * @returns the reply; `late` when the time is over, `cancelled` when the signal aborts
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
      // Pub/sub forgets: a last look.
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

  #arrived(news: Buffer): void {
    const end = news.indexOf(0);
    const taskId = news.toString('utf8', 0, end < 0 ? news.length : end);
    if (this.#waiting.has(taskId)) {
      if (end < 0) void this.#read(taskId);
      else this.#take(taskId, news.subarray(end + 1));
      return;
    }
    this.#early.add(taskId);
    if (this.#early.size > EARLY_NEWS) for (const oldest of this.#early) return void this.#early.delete(oldest);
  }

  async #lookForAll(): Promise<void> {
    if (this.#waiting.size === 0 || this.#reader.status !== 'ready') return;
    await Promise.all([...this.#waiting.keys()].map((taskId) => this.#read(taskId)));
  }

  /** A failure to read is no end: the next look repeats it. */
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
