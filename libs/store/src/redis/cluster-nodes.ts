import type { Cluster, Redis } from 'ioredis';

/** ioredis's message for a failed connection attempt; another event has the reason. */
const CLOSED = 'Connection is closed.';

/** How often the cluster's table of slots is refreshed, ms: how long the outage of an unused node may go unnoticed. */
const REFRESH_MS = 5_000;

/**
 * Connects to every node of a cluster as soon as it is known, and reports the first one that is away. By default
 * ioredis connects on a node's first command; in roles that fail at once, all further commands fail until it is
 * connected.
 * @param onOutage called again only after every node was up in between
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
    // If a MOVED or ASK reply revealed the node, let ioredis pass it the redirected command first.
    if (cluster.status === 'ready') setImmediate(connect);
    else connect();
  });
  // ioredis's own `slotsRefreshInterval` may continue after the client has ended, and keeps the process alive.
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
