import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative } from 'node:path';

export const HUB_COMMIT = 'c0ffee'.repeat(6) + 'c0ff';
export const HUB_TOKEN = 'hf_secret';
/** Its branches and tags. */
const REVISIONS = ['main', 'v1.0'];

/** What the server does besides serving. */
interface Faults {
  /** Requests for weights that break off half way. */
  breaks: number;
  /** Bytes of the weights that are changed on the way. */
  corrupt: boolean;
  needToken: boolean;
}

/** A model hub with one model, `org/tiny`, whose files are those of a folder. */
export class HubServer {
  readonly faults: Faults = { breaks: 0, corrupt: false, needToken: false };
  /** Requests so far. */
  readonly seen: { path: string; range: string | undefined }[] = [];
  readonly #origin: string;
  readonly #server: Server;

  private constructor(origin: string) {
    this.#origin = origin;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(origin: string): Promise<HubServer> {
    const hub = new HubServer(origin);
    await new Promise<void>((resolve) => hub.#server.listen(0, '127.0.0.1', resolve));
    return hub;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Paths of the files that were asked for, in the model's folder. */
  get downloads(): string[] {
    const prefix = `/org/tiny/resolve/${HUB_COMMIT}/`;
    return this.seen.flatMap(({ path }) => (path.startsWith(prefix) ? [path.slice(prefix.length)] : []));
  }

  reset(): void {
    Object.assign(this.faults, { breaks: 0, corrupt: false, needToken: false });
    this.seen.length = 0;
  }

  close(): void {
    this.#server.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://hub');
    this.seen.push({ path: url.pathname, range: request.headers.range });
    if (this.faults.needToken && request.headers.authorization !== `Bearer ${HUB_TOKEN}`) {
      return void response.writeHead(401).end();
    }
    if (REVISIONS.some((revision) => url.pathname === `/api/models/org/tiny/revision/${revision}`)) {
      return json(response, {
        _id: '1',
        id: 'org/tiny',
        sha: HUB_COMMIT,
        private: false,
        likes: 0,
        downloads: 0,
        gated: false,
        lastModified: '2024-01-01T00:00:00Z',
      });
    }
    if (url.pathname === `/api/models/org/tiny/tree/${HUB_COMMIT}`) return json(response, await this.#listing());
    const file = new RegExp(`^/org/tiny/resolve/${HUB_COMMIT}/(.+)$`).exec(url.pathname)?.[1];
    if (file === undefined) return void response.writeHead(404).end();
    let body = await readFile(join(this.#origin, file));
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const weights = file === 'model.safetensors';
    if (weights && this.faults.corrupt) {
      body = Buffer.from(body);
      body[body.length - 1]! ^= 1;
    }
    body = body.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': body.length });
    if (weights && this.faults.breaks > 0) {
      this.faults.breaks--;
      response.write(body.subarray(0, Math.floor(body.length / 2)));
      // Late enough for the half to arrive.
      setTimeout(() => response.destroy(), 100);
      return;
    }
    response.end(body);
  }

  async #listing(): Promise<unknown[]> {
    const entries = await readdir(this.#origin, { recursive: true, withFileTypes: true });
    return Promise.all(
      entries
        .filter((entry) => entry.isFile())
        .map(async (entry) => {
          const path = join(entry.parentPath, entry.name);
          const content = await readFile(path);
          const oid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
          const large = path.endsWith('.safetensors') || path.endsWith('.bin');
          const sha256 = createHash('sha256').update(content).digest('hex');
          const lfs = { oid: sha256, size: content.length, pointerSize: 130 };
          return {
            type: 'file',
            path: relative(this.#origin, path),
            size: content.length,
            oid,
            ...(large ? { lfs } : {}),
          };
        }),
    );
  }
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
