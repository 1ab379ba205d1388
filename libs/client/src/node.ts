import { Agent, type IncomingMessage, request as overHttp } from 'node:http';
import { Agent as SecureAgent, request as overHttps } from 'node:https';
import { Readable } from 'node:stream';
import type { Fetch, FetchInit } from './fetch.js';

/** Probes of a silent connection begin after so long, ms: a peer that has vanished ends it. */
const KEEP_ALIVE_MS = 30_000;
const MOST_REDIRECTS = 5;
/** Longest silence in the middle of an answer, ms: as the platform's `fetch` has it. */
const SILENCE_MS = 300_000;

const agents = { 'http:': new Agent({ keepAlive: true }), 'https:': new SecureAgent({ keepAlive: true }) };

/**
 * A `fetch` for Node that waits for the beginning of an answer without a limit. The platform's gives up after five minutes,
 * and the service may slow an upload down for longer, by the limits of a key or while the queue is full. It takes what the client
 * asks of it, which is less than the standard: no compression, and redirects only of requests without a body.
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
    // The key is for this origin and for no other.
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
    // An error after the answer is about the rest of the upload: the promise has settled, and the error is ignored.
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
