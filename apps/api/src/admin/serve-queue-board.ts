import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';
import { ApiError } from '#contracts';
import { sendError } from '../http/send-error.js';

const PATH = '/dashboard/queues';

/**
 * The board uses inline styles and a `base` element. Its fonts from other hosts stay blocked; it works without them.
 */
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
 * Serves Bull Board at `/dashboard/queues/`: a raw view of tasks, including their texts. Read-only: changes go through
 * /admin/v1, which writes the audit log.
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
        else sendError(reply, readOnly());
      });
      board.register(serverAdapter.registerPlugin());
      done();
    },
    { prefix: PATH },
  );
}

/** `model/lane` of a queue's name, the inverse of `Keys.queue`. */
function laneName({ name }: Queue): string {
  return name.slice(1, -1).replaceAll('%3A', ':');
}

function readOnly(): ApiError {
  return new ApiError({
    status: 405,
    code: 'read_only',
    message: 'The board is only to look at. POST /admin/v1/queues/actions pauses, resumes, retries and cleans.',
    headers: { Allow: 'GET, HEAD' },
  });
}
