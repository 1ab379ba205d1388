import type { Readable } from 'node:stream';

/** Longest time to read on after the response was sent, ms. */
const LISTEN_MS = 30_000;

/**
 * Reads and discards the rest of a body, for at most 30 s. Closing the connection while the client still sends would
 * reset it, and many clients would then lose the response.
 */
export function discardRest(body: Readable): void {
  if (isOver(body)) return;
  const timer = setTimeout(() => body.destroy(), LISTEN_MS).unref();
  body.once('close', () => clearTimeout(timer));
  body.resume();
}

/** A request without a body is complete without being read. */
function isOver(body: Readable): boolean {
  return body.readableEnded || body.destroyed || ('complete' in body && body.complete === true);
}
