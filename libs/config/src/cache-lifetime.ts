import type { Environment } from './environment.js';

/**
 * How long cache entries live, s; null for as long as Redis likes. Only a cache that shares the queue's Redis needs an
 * end: that one evicts nothing.
 */
export function cacheTtlSeconds(environment: Environment): number | null {
  const { EMBED_CACHE_REDIS_URL: cache, REDIS_URL: queue, EMBED_JOB_TTL_SECONDS: ttl } = environment;
  return cache === undefined || cache === queue ? ttl : null;
}
