const NAMES = ['MaxRetriesPerRequestError', 'AbortError', 'ClusterAllFailedError'];
const CODES = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND'];

/** ioredis and Redis have no codes for these. */
const MESSAGES = new RegExp(
  [
    'enableOfflineQueue',
    'Connection is closed',
    'Connection is in closing state',
    'Command timed out',
    '^LOADING ',
    'OOM command not allowed',
    // Of a cluster: it has lost slots or moves them, or every attempt was sent on.
    '^CLUSTERDOWN ',
    '^TRYAGAIN ',
    'Too many Cluster redirections',
    'None of startup nodes is available',
    'Failed to refresh slots cache',
    // Of Sentinels.
    'All sentinels are unreachable',
  ].join('|'),
);

/** Whether an error of ioredis or BullMQ says that the server, or the way to it, is gone, or that it is full. */
export function isRedisAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return NAMES.includes(error.name) || (code !== undefined && CODES.includes(code)) || MESSAGES.test(error.message);
}
