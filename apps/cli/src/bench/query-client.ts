import { setMaxListeners } from 'node:events';
import { Agent as HttpAgent, request as overHttp } from 'node:http';
import { Agent as HttpsAgent, request as overHttps } from 'node:https';
import { authorization } from '../connection.js';
import type { Target } from './target.js';

/** What a query needs to know of its target. */
type QueryTarget = Pick<Target, 'url' | 'key'> & { readonly model: Pick<Target['model'], 'id'> };

/**
 * Sends single queries over connections kept open. Not with `fetch`: its own work would be a good part of what is
 * measured.
 */
export class QueryClient {
  readonly #target: QueryTarget;
  readonly #signal: AbortSignal;
  readonly #secure: boolean;
  readonly #agent: HttpAgent;

  constructor(target: QueryTarget, signal: AbortSignal) {
    this.#target = target;
    this.#signal = signal;
    // Every request under way listens.
    setMaxListeners(0, signal);
    this.#secure = target.url.startsWith('https:');
    this.#agent = this.#secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  }

  /** Asks for one vector. @returns ms until it was there */
  async ask(input: string): Promise<number> {
    const body = JSON.stringify({ model: this.#target.model.id, input, encoding_format: 'base64' });
    const began = performance.now();
    const { status, text } = await this.#post(body);
    if (status !== 200) throw new Error(`POST /v1/embeddings: ${status} ${text}`);
    return performance.now() - began;
  }

  /** So many clients, each asking again when it has its answer. @returns ms of each query, in no order */
  async askAll(inputs: readonly string[], clients: number): Promise<number[]> {
    const ms: number[] = [];
    let next = 0;
    const client = async () => {
      while (next < inputs.length) ms.push(await this.ask(inputs[next++]!));
    };
    await Promise.all(Array.from({ length: clients }, client));
    return ms;
  }

  close(): void {
    this.#agent.destroy();
  }

  #post(body: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const sent = (this.#secure ? overHttps : overHttp)(
        `${this.#target.url}/v1/embeddings`,
        {
          method: 'POST',
          agent: this.#agent,
          signal: this.#signal,
          headers: {
            ...authorization(this.#target.key),
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
          },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
          response.on('error', reject);
        },
      );
      sent.on('error', reject).end(body);
    });
  }
}
