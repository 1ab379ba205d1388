import { PassThrough } from 'node:stream';
import type { Snapshot } from '#contracts';

/** When a client whose connection broke comes again, ms. */
const RETRY_MS = 2000;
/** A stream ends after this and the client comes again, so that whoever lost the right to look stops seeing, ms. */
const LONGEST_MS = 600_000;

/** A stream of server-sent events for one client. */
export class LiveStream {
  readonly body = new PassThrough();
  readonly #deadline: NodeJS.Timeout;

  /** @param onEnd called once, when either side has ended it */
  constructor(onEnd: () => void) {
    this.body.write(`retry: ${RETRY_MS}\n\n`);
    this.#deadline = setTimeout(() => this.end(), LONGEST_MS).unref();
    this.body.once('close', () => {
      clearTimeout(this.#deadline);
      onEnd();
    });
  }

  /** Null: only a sign of life. A client that reads too slowly misses some. */
  send(snapshot: Snapshot | null): void {
    if (!this.body.writable || this.body.writableNeedDrain) return;
    this.body.write(snapshot === null ? ':\n\n' : `event: snapshot\ndata: ${JSON.stringify(snapshot)}\n\n`);
  }

  end(): void {
    this.body.end();
  }
}
