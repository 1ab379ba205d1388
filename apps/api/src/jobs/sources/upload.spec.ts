import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect as connectSocket } from 'node:net';
import { Upload } from './upload.js';

type Handler = (upload: Upload, response: ServerResponse) => Promise<void>;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A server that hands each request's body to `handle` as an upload. @returns its port */
async function serve(handle: (upload: Upload, response: ServerResponse) => unknown): Promise<number> {
  const server = createServer((incoming, response) => void handle(new Upload(incoming, 60_000), response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A request to such a server that is not yet ended. */
async function connect(handle: Handler) {
  const handled: Promise<void>[] = [];
  const port = await serve((upload, response) => handled.push(handle(upload, response)));
  const client = request({ port, host: '127.0.0.1', method: 'POST' });
  client.on('error', () => undefined);
  closers.push(() => client.destroy());
  const answered = once(client, 'response').then(async ([response]: IncomingMessage[]) => {
    let text = '';
    for await (const chunk of response!) text += String(chunk);
    return { status: response!.statusCode, text };
  });
  answered.catch(() => undefined);
  return { client, answered, handled };
}

async function textOf(upload: Upload): Promise<string> {
  let text = '';
  for await (const chunk of upload.chunks()) text += chunk.toString();
  return text;
}

describe('an upload', () => {
  it('gives every byte as it comes', async () => {
    const { client, answered } = await connect(async (upload, response) => void response.end(await textOf(upload)));
    client.write('first ');
    await new Promise((resolve) => setImmediate(resolve));
    client.write('second ');
    client.end('third');
    expect(await answered).toMatchObject({ text: 'first second third' });
  });

  it('is no more than what was asked for: the client is held up', async () => {
    let taken = 0;
    const { client } = await connect(async (upload) => {
      for await (const chunk of upload.chunks()) {
        taken += chunk.length;
        await new Promise(() => undefined);
      }
    });
    const megabyte = Buffer.alloc(1024 * 1024);
    let sent = 0;
    while (client.write(megabyte) || sent < 64) {
      sent += 1;
      if (client.writableNeedDrain) {
        const drained = once(client, 'drain').then(() => true);
        const stuck = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 300));
        if (!(await Promise.race([drained, stuck]))) break;
      }
    }
    expect(client.writableNeedDrain).toBe(true);
    expect(taken).toBeLessThan(1024 * 1024);
  });

  it('can be answered before its end, to a client that sends everything first', async () => {
    const port = await serve(async (upload, response) => {
      for await (const chunk of upload.chunks()) {
        if (chunk.length > 0) break;
      }
      response.writeHead(400).end('enough');
      upload.discardRest();
    });
    const megabyte = Buffer.alloc(1024 * 1024);
    const client = connectSocket(port, '127.0.0.1');
    closers.push(() => client.destroy());
    client.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${32 * megabyte.length}\r\n\r\n`);
    for (let n = 0; n < 32; n++) {
      if (!client.write(megabyte)) await once(client, 'drain');
    }
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 400 [^]*enough/);
  });

  it('ends with `upload_aborted` when the client breaks off', async () => {
    const { client, handled, answered } = await connect(async (upload) => {
      client.destroy();
      await textOf(upload);
    });
    client.write('begun');
    await expect(answered).rejects.toThrow();
    await expect(handled[0]).rejects.toMatchObject({ code: 'upload_aborted' });
  });

  it('ends when it is stopped, even while the client is silent', async () => {
    const { client, answered } = await connect(async (upload, response) => {
      const reading = textOf(upload);
      upload.stop(new Error('cancelled'));
      await reading.catch((error: Error) => response.end(error.message));
      upload.discardRest();
    });
    client.write('begun');
    expect(await answered).toMatchObject({ text: 'cancelled' });
  });
});
