import type { Environment } from './environment.js';

/**
 * Time to live of cache entries, s; null: until Redis evicts them. Only a cache in the queue's Redis needs a time to
 * live, because that Redis evicts nothing.
 */
export function cacheTtlSeconds(environment: Environment): number | null {
  const { EMBED_CACHE_REDIS_URL: cache, REDIS_URL: queue, EMBED_JOB_TTL_SECONDS: ttl } = environment;
  return cache === undefined || cache === queue ? ttl : null;
}
