import { Agent, type IncomingMessage, request as overHttp } from 'node:http';
import { Agent as SecureAgent, request as overHttps } from 'node:https';
import { Readable } from 'node:stream';
import type { Fetch, FetchInit } from './fetch.js';

/** Time without traffic until TCP keep-alive probes begin, ms: they end the connection when the peer has vanished. */
const KEEP_ALIVE_MS = 30_000;
const MOST_REDIRECTS = 5;
/** Maximum time without data within a response, ms; the same as in the platform's `fetch`. */
const SILENCE_MS = 300_000;

const agents = { 'http:': new Agent({ keepAlive: true }), 'https:': new SecureAgent({ keepAlive: true }) };

/**
 * A `fetch` for Node that waits for the beginning of a response without a time limit. The platform's gives up after
 * five minutes, but the service may slow down an upload for longer, because of a key's limits or while the queue is
 * full. It implements only what the client needs: no compression, and redirects only for requests without a body.
 *
 * @example
 * const client = new EmbedmillClient({ baseUrl, fetch: nodeFetch });
 */
export const nodeFetch: Fetch = async (url, init) => {
  let at = new URL(url);
  for (let redirects = 0; ; redirects++) {
    const answer = await send(at, init);
    const { location } = answer.headers;
    const isRedirect = location !== undefined && answer.statusCode! >= 300 && answer.statusCode! < 400;
    if (!isRedirect || init.body !== undefined || redirects === MOST_REDIRECTS) return responseOf(answer);
    answer.resume();
    const next = new URL(location, at);
    // The API key must not be sent to another origin.
    if (next.origin !== at.origin) init = { ...init, headers: without(init.headers, 'authorization') };
    at = next;
  }
};

function send(url: URL, { body, headers, method, signal }: FetchInit): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const isSecure = url.protocol === 'https:';
    const bytes = typeof body === 'string' ? Buffer.from(body) : undefined;
    const sent = (isSecure ? overHttps : overHttp)(url, {
      method,
      headers: bytes === undefined ? headers : { ...headers, 'content-length': String(bytes.length) },
      agent: agents[isSecure ? 'https:' : 'http:'],
      signal,
    });
    sent.once('response', (answer) => {
      sent.setTimeout(SILENCE_MS, () => sent.destroy(new Error(`silent for ${SILENCE_MS / 1000} s`)));
      resolve(answer);
    });
    // An error after the response is about the rest of the upload: the promise is settled, so the error is ignored.
    sent.on('error', reject);
    sent.once('socket', (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
    if (typeof body !== 'object') {
      sent.end(bytes);
      return;
    }
    const source = Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]);
    source.once('error', (error) => sent.destroy(error));
    sent.once('close', () => source.destroy());
    source.pipe(sent);
  });
}

function responseOf(answer: IncomingMessage): Response {
  const status = answer.statusCode!;
  const headers = new Headers();
  for (const [name, values] of Object.entries(answer.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  const isEmpty = status === 204 || status === 205 || status === 304;
  if (isEmpty) answer.resume();
  return new Response(isEmpty ? null : (Readable.toWeb(answer) as ReadableStream<Uint8Array>), { status, headers });
}

function without(headers: Record<string, string>, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([other]) => other !== name));
}
