import { request, type Agent } from 'node:http';

/**
 * One waiting request for several texts, base64; the answer is read to its end and checked for what it says of the cache.
 * @throws when the answer is none, or a text was not cached
 */
export function embedBatch(agent: Agent, url: string, model: string, texts: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify({ model, input: texts, encoding_format: 'base64' });
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const outgoing = request(`${url}/v1/embeddings`, { agent, method: 'POST', headers }, (response) => {
      const cached = Number(response.headers['x-embedmill-cached']);
      response.resume();
      response.once('error', reject);
      response.once('end', () => {
        if (response.statusCode === 200 && cached === texts.length) resolve();
        else reject(new Error(`POST /v1/embeddings: ${response.statusCode}, ${cached} of ${texts.length} cached`));
      });
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
