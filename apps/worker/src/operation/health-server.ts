import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { type Authenticator, KeyRefusedError } from '#access';
import { BootError } from '#contracts';
import type { WorkerMetrics } from './metrics.js';

/** Readiness checks by name; all must be true for the worker to be ready. */
export type Checks = Readonly<Record<string, boolean>>;

/**
 * Serves `/health/live`, `/health/ready` and `/metrics` of one worker, and nothing else. Metrics require an API key
 * when authentication is on; the health endpoints contain nothing that needs one.
 */
export class HealthServer {
  readonly #server: Server;
  readonly #host: string;

  private constructor(server: Server, host: string) {
    this.#server = server;
    this.#host = host;
  }

  /** Starts listening; port 0 takes any free port. @throws BootError when it cannot listen there. */
  static async start(options: {
    readonly host: string;
    readonly port: number;
    readonly metrics: WorkerMetrics;
    readonly authenticator: Authenticator;
    readonly checks: () => Checks;
  }): Promise<HealthServer> {
    const { host, port, metrics, authenticator, checks } = options;
    const server = createServer((request, response) => {
      const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
        response.writeHead(status, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(body));
      const refuse = ({ code, message }: KeyRefusedError) => {
        const known = code === 'insufficient_scope';
        const headers = known ? {} : { 'www-authenticate': 'Bearer realm="embedmill"' };
        json(known ? 403 : 401, { error: { code, message } }, headers);
      };
      const path = (request.url ?? '').split('?')[0];
      if (path === '/health/live') {
        json(200, { status: 'ok' });
      } else if (path === '/health/ready') {
        const states = checks();
        const ready = Object.values(states).every(Boolean);
        json(ready ? 200 : 503, { status: ready ? 'ok' : 'unavailable', checks: states });
      } else if (path === '/metrics') {
        const allowed = authenticator.on
          ? authenticator.require(request.headers.authorization, 'metrics')
          : Promise.resolve();
        allowed
          .then(() => metrics.registry.metrics())
          .then(
            (text) => response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(text),
            (error: unknown) => {
              if (error instanceof KeyRefusedError) refuse(error);
              // The error itself is not sent: messages of the Redis client contain internal addresses.
              else json(503, { error: 'the metrics, or the API key check, are unavailable at the moment' });
            },
          );
      } else {
        json(404, { error: 'this is a worker: it has /health/live, /health/ready and /metrics' });
      }
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) =>
        reject(
          new BootError(`cannot serve health and metrics on ${host}:${port}: ${error.message}; set EMBED_METRICS_PORT`),
        ),
      );
      server.listen(port, host, resolve);
    });
    return new HealthServer(server, host);
  }

  /** Base URL for other machines; a wildcard address is replaced by this machine's hostname. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    const host = this.#host === '0.0.0.0' || this.#host === '::' ? hostname() : this.#host;
    return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
