import { once } from 'node:events';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyReply } from 'fastify';
import { ClientGone, cutOff } from './hang-up.js';

const SHUT_DOWN = new Error('shutting down');
const server = fastify({ forceCloseConnections: true });
let open: (reply: FastifyReply) => void = () => {};
server.get('/', async (_request, reply) => {
  reply.raw.write('');
  open(reply);
  await once(reply.raw, 'close');
});
await server.listen({ port: 0, host: '127.0.0.1' });
const { port } = server.server.address() as AddressInfo;

afterAll(async () => server.close());

/** A response that has begun, and its client. */
async function begun() {
  // In an object: a reply is thenable, and a promise of it would wait for its end.
  const started = new Promise<{ reply: FastifyReply }>((resolve) => {
    open = (reply) => resolve({ reply });
  });
  const client = connect(port, '127.0.0.1');
  client.on('error', () => undefined);
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  return { client, ...(await started) };
}

async function reasonOf(signal: AbortSignal): Promise<unknown> {
  if (!signal.aborted) await once(signal, 'abort');
  return signal.reason;
}

describe('a response that may go on for long', () => {
  it('is cut off when its client leaves, and never after', async () => {
    const closing = new AbortController();
    const { client, reply } = await begun();
    const signal = cutOff(reply, closing.signal, SHUT_DOWN);
    expect(signal.aborted).toBe(false);
    client.destroy();
    expect(await reasonOf(signal)).toBeInstanceOf(ClientGone);
    closing.abort();
    expect(signal.reason).toBeInstanceOf(ClientGone);
  });

  it('is cut off when the process shuts down, with the reason given', async () => {
    const closing = new AbortController();
    const { client, reply } = await begun();
    const signal = cutOff(reply, closing.signal, SHUT_DOWN);
    closing.abort();
    expect(await reasonOf(signal)).toBe(SHUT_DOWN);
    const late = cutOff(reply, closing.signal, SHUT_DOWN);
    expect([late.aborted, late.reason]).toEqual([true, SHUT_DOWN]);
    client.destroy();
  });
});
