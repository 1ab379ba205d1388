import { setMaxListeners } from 'node:events';
import { Agent as HttpAgent, request as overHttp } from 'node:http';
import { Agent as HttpsAgent, request as overHttps } from 'node:https';
import type { Target } from './target.js';

/** What a query needs to know of its target. */
type QueryTarget = Pick<Target, 'url' | 'key'> & { readonly model: Pick<Target['model'], 'id'> };

/** One request, answered. */
export interface Asked {
  /** Until the answer was read to its end. */
  readonly ms: number;
  /** Texts that the service found in its cache. */
  readonly cached: number;
}

/**
 * A measuring instrument, and no client to build on: it sends `POST /v1/embeddings` over connections kept open and reads
 * the answers without looking into them. With `fetch`, and with `#client`, which decodes the vectors, a good part of what
 * is measured would be their own work.
 */
export class QueryClient {
  readonly #model: string;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #signal: AbortSignal;
  readonly #request: typeof overHttp;
  readonly #agent: HttpAgent;

  constructor({ key, model, url }: QueryTarget, signal: AbortSignal) {
    this.#model = model.id;
    this.#url = `${url}/v1/embeddings`;
    this.#headers = {
      'content-type': 'application/json',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    };
    this.#signal = signal;
    // Every request under way listens.
    setMaxListeners(0, signal);
    const isSecure = url.startsWith('https:');
    this.#request = isSecure ? overHttps : overHttp;
    this.#agent = isSecure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  }

  /** Asks for the vectors of a text or a few. @throws unless they come */
  ask(input: string | readonly string[]): Promise<Asked> {
    const body = JSON.stringify({ model: this.#model, input, encoding_format: 'base64' });
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const sent = this.#request(this.#url, {
        method: 'POST',
        agent: this.#agent,
        signal: this.#signal,
        headers: { ...this.#headers, 'content-length': Buffer.byteLength(body) },
      });
      sent.once('response', (response) => {
        const cached = Number(response.headers['x-embedmill-cached']);
        let refusal = '';
        if (response.statusCode === 200) response.resume();
        else response.setEncoding('utf8').on('data', (chunk: string) => (refusal += chunk));
        response.once('error', reject);
        response.once('end', () => {
          if (response.statusCode === 200) resolve({ ms: performance.now() - began, cached });
          else reject(new Error(`POST /v1/embeddings: ${response.statusCode} ${refusal}`));
        });
      });
      sent.once('error', reject);
      sent.end(body);
    });
  }

  /** So many clients, each asking again when it has its answer. @returns ms of each query, in no order */
  async askAll(inputs: readonly string[], clients: number): Promise<number[]> {
    const ms: number[] = [];
    let next = 0;
    const client = async () => {
      while (next < inputs.length) ms.push((await this.ask(inputs[next++]!)).ms);
    };
    await Promise.all(Array.from({ length: clients }, client));
    return ms;
  }

  close(): void {
    this.#agent.destroy();
  }
}
