import type { FastifyReply } from 'fastify';

/** The client closed the connection before the response was complete. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/**
 * A signal for a response that may go on for long: aborts with `shutDown` when the process shuts down, and with
 * `ClientGone` when the connection is closed.
 */
export function cutOff({ raw }: FastifyReply, closing: AbortSignal, shutDown: Error): AbortSignal {
  const ended = new AbortController();
  const end = () => ended.abort(shutDown);
  if (closing.aborted) end();
  closing.addEventListener('abort', end, { once: true });
  raw.once('close', () => {
    closing.removeEventListener('abort', end);
    ended.abort(new ClientGone('The client has gone.'));
  });
  return ended.signal;
}

/** A signal that aborts with `ClientGone` when the client disconnects before the response is complete. */
export function hangUp({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  const leave = () => gone.abort(new ClientGone('The client has gone.'));
  if (raw.destroyed) leave();
  else {
    raw.once('close', () => {
      if (!raw.writableFinished) leave();
    });
  }
  return gone.signal;
}
