import type { Cluster, Redis } from 'ioredis';

/** ioredis's words for an attempt that failed; why it did comes by another event. */
const CLOSED = 'Connection is closed.';

/** How often a cluster is asked which node has which slots, ms: how long a node that nobody uses may be away unnoticed. */
const REFRESH_MS = 5_000;

/**
 * Connects to every node of a cluster as soon as it is known, and reports when the first one is away. ioredis alone
 * connects with a node's first command, and where commands fail at once, all further ones fail until then.
 * @param onOutage called again only after every node was there
 */
export function followNodes(cluster: Cluster, onOutage?: (error: Error) => void): void {
  const away = new Set<string>();
  const report = (error: Error, address = 'all') => {
    if (error.message === CLOSED) return;
    if (away.size === 0) onOutage?.(error);
    away.add(address);
  };
  cluster.on('error', report);
  cluster.on('node error', report);
  cluster.on('+node', (node: Redis) => {
    node.on('ready', () => away.delete(addressOf(node)));
    const connect = () => {
      // A failure is reported by 'node error'.
      if (node.status === 'wait') node.connect().catch(() => undefined);
    };
    // A command that brought the node up, by MOVED or ASK, is handed to it first.
    if (cluster.status === 'ready') setImmediate(connect);
    else connect();
  });
  // ioredis's own `slotsRefreshInterval` may go on after the end, and keeps the process alive.
  const refresh = setInterval(() => {
    if (cluster.status === 'ready') cluster.refreshSlotsCache();
  }, REFRESH_MS);
  refresh.unref();
  cluster.once('end', () => clearInterval(refresh));
  cluster.on('refresh', () => {
    const known = new Set(cluster.nodes().map(addressOf));
    for (const address of away) if (!known.has(address)) away.delete(address);
  });
}

function addressOf({ options: { host, port } }: Redis): string {
  return `${host}:${port}`;
}
