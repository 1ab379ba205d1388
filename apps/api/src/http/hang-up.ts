import type { FastifyReply } from 'fastify';

/** The client has closed the connection before it had its answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** Fires with `ClientGone`. */
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
