import type { Scope } from '#contracts';

/** The scope that a route requires; `public` requires no authentication. */
export type Requirement = Scope | 'public';

/**
 * Requirements by path prefix of the route pattern; the longest prefix wins. A route without an entry requires `admin`.
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

/** @param route pattern of the matched route, for example `/v1/jobs/:id` */
export function requirementOf(route: string): Requirement {
  for (let path = route; path !== ''; path = path.slice(0, path.lastIndexOf('/'))) {
    const requirement = REQUIREMENTS[path];
    if (requirement !== undefined) return requirement;
  }
  return 'admin';
}
