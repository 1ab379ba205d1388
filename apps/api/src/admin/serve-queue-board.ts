import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';
import { ApiError } from '#contracts';
import { sendError } from '../http/send-error.js';

const PATH = '/dashboard/queues';

/** Its page sets styles of its own, and a base for its relative links. The fonts it would fetch elsewhere it does without. */
const POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join('; ');

/**
 * Serves BullMQ's standard board at `/dashboard/queues/`: the raw view of tasks, texts included. Only to look: what
 * changes something goes through /admin/v1, which keeps a log of it.
 */
export function serveQueueBoard(server: FastifyInstance, queues: readonly Queue[]): void {
  const serverAdapter = new FastifyAdapter();
  serverAdapter.setBasePath(PATH);
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true, displayName: laneName(queue) })),
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: 'Embedmill, raw queues',
        hideDocsLink: true,
        hideRedisDetails: true,
        showWorkers: false,
        miscLinks: [{ text: 'Dashboard', url: '/dashboard/' }],
      },
    },
  });
  server.register(
    (board, _options, done) => {
      board.addHook('onRequest', (request, reply, next) => {
        void reply.header('content-security-policy', POLICY).header('cache-control', 'no-store');
        if (request.method === 'GET' || request.method === 'HEAD') next();
        else sendError(reply, onlyToLook());
      });
      board.register(serverAdapter.registerPlugin());
      done();
    },
    { prefix: PATH },
  );
}

/** `{model/lane}` without the braces, which are for Redis. */
function laneName({ name }: Queue): string {
  return name.slice(1, -1);
}

function onlyToLook(): ApiError {
  return new ApiError({
    status: 405,
    code: 'read_only',
    message: 'The board is only to look at. POST /admin/v1/queues/actions pauses, resumes, retries and cleans.',
    headers: { Allow: 'GET, HEAD' },
  });
}
