import type { Readable } from 'node:stream';

/** Longest an answered client is listened to, ms. */
const LISTEN_MS = 30_000;

/**
 * Reads what is left of a body into nothing, for a while. A connection closed on a client that still sends is reset,
 * and many clients lose the answer with it.
 */
export function discardRest(body: Readable): void {
  if (isOver(body)) return;
  const timer = setTimeout(() => body.destroy(), LISTEN_MS).unref();
  body.once('close', () => clearTimeout(timer));
  body.resume();
}

/** A request without a body is complete without having been read. */
function isOver(body: Readable): boolean {
  return body.readableEnded || body.destroyed || ('complete' in body && body.complete === true);
}
