import { BootError } from '#contracts';

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** A parsed Redis URL. */
export interface RedisUrl {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  /** The server, the Sentinels, or the cluster's startup nodes. */
  readonly nodes: readonly RedisNode[];
  /** The master's name in Sentinel; null for the other kinds. */
  readonly master: string | null;
  /** Database number; always 0 for a cluster. */
  readonly db: number;
  /** Credentials for the servers; Sentinels are queried without any. */
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Whether connections to the servers use TLS. Those to Sentinels never do. */
  readonly tls: boolean;
}

const URL_FORM = /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:([^/]*)@)?([^/?#]*)(?:\/([^?#]*))?(\?.*)?$/;
const NODE_FORM = /^(\[[\da-fA-F:.]+\]|[^\s:[\]]+)(?::(\d{1,5}))?$/;
const SERVER_PORT = 6379;
const SENTINEL_PORT = 26379;
const FORMS =
  'redis://HOST:PORT/DB, redis+sentinel://HOST:PORT,HOST:PORT/MASTER/DB or redis+cluster://HOST:PORT,HOST:PORT';

/**
 * Parses `redis://`, `redis+sentinel://`, `redis+cluster://`, and the same with `rediss` for TLS.
 * @throws BootError, one line that says what is wrong without quoting the URL: any part may be a misplaced password
 */
export function parseRedisUrl(url: string): RedisUrl {
  const found = URL_FORM.exec(url);
  if (found === null) throw fault(`is none of ${FORMS}`);
  const [, secure, several, credentials, hosts = '', path = '', query] = found;
  const kind = (several ?? 'single') as RedisUrl['kind'];
  // ioredis itself parses the query of a single server's URL.
  if (query !== undefined && kind !== 'single') throw fault(`of a ${kind} takes no options after "?"`);
  const nodes = hosts
    .split(',')
    .map((node, n) => parseNode(node, n, kind === 'sentinel' ? SENTINEL_PORT : SERVER_PORT));
  if (kind === 'single' && nodes.length > 1) {
    throw fault('names several hosts: write redis+cluster://, or redis+sentinel:// with the name of the master');
  }
  return { kind, nodes, tls: secure === 's', ...parseCredentials(credentials), ...parsePath(kind, path) };
}

/** Hosts and ports of a URL, for logs and messages: `10.0.0.1:7000,10.0.0.2:7000`. */
export function hostsOf(url: string): string {
  return parseRedisUrl(url)
    .nodes.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`)
    .join(',');
}

function parseNode(text: string, n: number, defaultPort: number): RedisNode {
  const [, host, digits] = NODE_FORM.exec(text) ?? [];
  const port = digits === undefined ? defaultPort : Number(digits);
  if (host === undefined || port < 1 || port > 65535) throw fault(`has no HOST or HOST:PORT as host ${n + 1}`);
  return { host: host.replace(/^\[|\]$/g, ''), port };
}

function parseCredentials(text: string | undefined): Pick<RedisUrl, 'username' | 'password'> {
  if (text === undefined) return { username: undefined, password: undefined };
  const colon = text.indexOf(':');
  const part = (encoded: string) => {
    try {
      return decodeURIComponent(encoded) || undefined;
    } catch {
      throw fault('has a user or password with a "%" that encodes nothing: write %25');
    }
  };
  if (colon < 0) return { username: part(text), password: undefined };
  return { username: part(text.slice(0, colon)), password: part(text.slice(colon + 1)) };
}

function parsePath(kind: RedisUrl['kind'], path: string): Pick<RedisUrl, 'master' | 'db'> {
  const parts = path === '' ? [] : path.split('/');
  const master = kind === 'sentinel' ? parts.shift() : null;
  if (master === undefined || master === '') {
    throw fault('names no master: write redis+sentinel://HOST:PORT,HOST:PORT/MASTER');
  }
  const [db = '0', ...rest] = parts;
  if (!/^\d{1,5}$/.test(db) || rest.length > 0) throw fault('has something else than a database number at its end');
  if (kind === 'cluster' && db !== '0') throw fault('names a database: a cluster has number 0 only');
  return { master, db: Number(db) };
}

function fault(what: string): BootError {
  return new BootError(`the Redis URL ${what}`);
}
