import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** Output of `vite build apps/dashboard`. */
const SITE = fileURLToPath(new URL('../../../dashboard/site/', import.meta.url));

const POLICY = [
  "default-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join('; ');

/**
 * Serves the dashboard at `/dashboard/`: static files, public because they contain no data; the data comes from
 * /admin/v1. Files are sent as compressed at build time. Names under `assets/` contain a content hash, so browsers
 * cache them for a year; they revalidate the page itself every time.
 */
export function serveDashboard(server: FastifyInstance): void {
  server.register(fastifyStatic, {
    root: SITE,
    prefix: '/dashboard',
    redirect: true,
    decorateReply: false,
    preCompressed: true,
    cacheControl: false,
    setHeaders: (reply, path) => {
      reply.header('cache-control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
      reply.header('content-security-policy', POLICY);
    },
  });
}
