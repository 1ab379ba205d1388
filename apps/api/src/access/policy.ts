import type { Scope } from '#contracts';

/** What a route asks of its caller; `public` asks nothing. */
export type Requirement = Scope | 'public';

/**
 * What routes ask, by the beginning of their pattern; the longest that fits counts. A route that nobody thought of asks
 * for `admin`.
 */
const REQUIREMENTS: Readonly<Record<string, Requirement>> = {
  '/health': 'public',
  '/docs': 'public',
  '/docs-json': 'public',
  '/docs-yaml': 'public',
  '/dashboard': 'public',
  '/dashboard/session': 'public',
  '/dashboard/queues': 'admin',
  '/v1/embeddings': 'embed',
  '/v1/models': 'embed',
  '/v1/jobs': 'jobs',
  '/metrics': 'metrics',
  '/admin': 'admin',
};

/** @param route pattern of the route that a request was matched with, as `/v1/jobs/:id` */
export function requirementOf(route: string): Requirement {
  for (let path = route; path !== ''; path = path.slice(0, path.lastIndexOf('/'))) {
    const requirement = REQUIREMENTS[path];
    if (requirement !== undefined) return requirement;
  }
  return 'admin';
}
