const NAMES = ['MaxRetriesPerRequestError', 'AbortError', 'ClusterAllFailedError'];
const CODES = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND'];

/** Errors for which ioredis and Redis have no code. */
const MESSAGES = new RegExp(
  [
    'enableOfflineQueue',
    'Connection is closed',
    'Connection is in closing state',
    'Command timed out',
    '^LOADING ',
    'OOM command not allowed',
    // Cluster: slots are lost or being moved, or every attempt was redirected.
    '^CLUSTERDOWN ',
    '^TRYAGAIN ',
    'Too many Cluster redirections',
    'None of startup nodes is available',
    'Failed to refresh slots cache',
    // Sentinel.
    'All sentinels are unreachable',
  ].join('|'),
);

/** Whether an error of ioredis or BullMQ means that Redis is unreachable, not ready, or out of memory. */
export function isRedisAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return NAMES.includes(error.name) || (code !== undefined && CODES.includes(code)) || MESSAGES.test(error.message);
}
