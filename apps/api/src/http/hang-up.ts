import type { FastifyReply } from 'fastify';

/** The client closed the connection before the response was complete. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
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
