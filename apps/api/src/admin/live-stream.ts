import { PassThrough } from 'node:stream';
import type { Snapshot } from '#contracts';

/** Delay before a client reconnects after a broken connection, ms. */
const RETRY_MS = 2000;
/** Longest life of a stream, ms. The client then reconnects and is authenticated again, in case its key was revoked. */
const LONGEST_MS = 600_000;

/** A stream of server-sent events for one client. */
export class LiveStream {
  readonly body = new PassThrough();
  readonly #deadline: NodeJS.Timeout;

  /** @param onEnd called once, when either side has ended the stream */
  constructor(onEnd: () => void) {
    this.body.write(`retry: ${RETRY_MS}\n\n`);
    this.#deadline = setTimeout(() => this.end(), LONGEST_MS).unref();
    this.body.once('close', () => {
      clearTimeout(this.#deadline);
      onEnd();
    });
  }

  /** Null sends an empty comment as a keep-alive. Snapshots are skipped while the client reads too slowly. */
  send(snapshot: Snapshot | null): void {
    if (!this.body.writable || this.body.writableNeedDrain) return;
    this.body.write(snapshot === null ? ':\n\n' : `event: snapshot\ndata: ${JSON.stringify(snapshot)}\n\n`);
  }

  end(): void {
    this.body.end();
  }
}
