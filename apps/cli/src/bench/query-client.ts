import { setMaxListeners } from 'node:events';
import { Agent as HttpAgent, request as overHttp } from 'node:http';
import { Agent as HttpsAgent, request as overHttps } from 'node:https';
import type { Target } from './target.js';

/** The members of a target that queries need. */
type QueryTarget = Pick<Target, 'url' | 'key'> & { readonly model: Pick<Target['model'], 'id'> };

/** The result of one request. */
export interface Asked {
  /** Time from sending the request until the response was read to its end. */
  readonly ms: number;
  /** Number of texts that the service found in its cache. */
  readonly cached: number;
}

/**
 * For measurements only: it sends `POST /v1/embeddings` over keep-alive connections and reads the responses without
 * parsing them. With `fetch`, or with `#client`, which decodes the vectors, the client's own work would be a large part
 * of the measured time.
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
    // Every request in progress adds a listener.
    setMaxListeners(0, signal);
    const isSecure = url.startsWith('https:');
    this.#request = isSecure ? overHttps : overHttp;
    this.#agent = isSecure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  }

  /** Requests the vectors of one or several texts. @throws unless the status is 200 */
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

  /**
   * Sends the inputs from so many concurrent clients; each sends its next query when it has received its last response.
   * @returns latency of each query in ms, in no particular order
   */
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
