import { request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';

/** Probes of a silent connection begin after so long, ms: a peer that has vanished ends it. */
const KEEP_ALIVE_MS = 30_000;

/**
 * Posts a body and waits for the answer as long as it takes. `fetch` gives up after five minutes, and the service may
 * slow an upload down for longer, by the limits of a key or while the queue is full.
 */
export function postPatiently(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal | undefined,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = url.startsWith('https:') ? overHttps : overHttp;
    const bytes = Buffer.from(body);
    const sent = request(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': bytes.length },
      agent: false,
      ...(signal === undefined ? {} : { signal }),
    });
    sent.once('error', reject);
    sent.once('socket', (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
    sent.once('response', (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () => {
        const { 'retry-after': retryAfter } = answer.headers;
        resolve(
          new Response(Buffer.concat(chunks), {
            status: answer.statusCode ?? 0,
            headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
          }),
        );
      });
    });
    sent.end(bytes);
  });
}
