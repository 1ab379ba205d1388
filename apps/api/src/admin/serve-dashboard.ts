import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** What `vite build apps/dashboard` wrote. */
const SITE = fileURLToPath(new URL('../../../dashboard/site/', import.meta.url));

const POLICY = [
  "default-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join('; ');

/**
 * Serves the dashboard at `/dashboard/`: files only, which tell nothing and are everybody's; what they show comes from
 * /admin/v1. Sent as compressed at the build. Names under `assets/` carry a hash of their content, so a browser asks
 * for them once; for the page itself it asks every time.
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
