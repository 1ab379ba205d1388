import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { JobList } from '#contracts';
import { Deployment, MODEL } from '../../../../test/support/deployment.js';
import type { Service } from '../../../../test/support/services.js';
import { until } from '../../../../test/support/until.js';
import { freePort } from '../free-port.js';

const entry = fileURLToPath(new URL('../main.js', import.meta.url));

function startBench(...args: string[]) {
  const child = spawn(process.execPath, [entry, 'bench', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { output: () => output, ended, interrupt: () => child.kill('SIGINT') };
}

async function runBench(...args: string[]): Promise<{ code: number | null; output: string }> {
  const bench = startBench(...args);
  const code = await bench.ended;
  return { code, output: bench.output() };
}

/** Something in front of an API that wants a key and notes what it is given. */
async function gate(apiUrl: string, key: string): Promise<{ url: string; server: Server; given: Set<string> }> {
  const given = new Set<string>();
  const server = createServer((request, response) => {
    given.add(request.headers.authorization ?? '');
    if (request.headers.authorization !== `Bearer ${key}`) {
      response.writeHead(401).end();
      return;
    }
    const { 'host': _, 'connection': __, 'transfer-encoding': ___, ...headers } = request.headers;
    void fetch(`${apiUrl}${request.url}`, {
      method: request.method ?? 'GET',
      headers: headers as Record<string, string>,
      ...(request.method === 'POST' ? { body: request, duplex: 'half' as const } : {}),
    }).then(async (answer) => {
      const body = Buffer.from(await answer.arrayBuffer());
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(body);
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${port}`, server, given };
}

describe('embedmill bench', () => {
  let deployment: Deployment;
  let api: Service;
  beforeAll(async () => {
    deployment = await Deployment.start();
    await deployment.worker();
    api = await deployment.api();
  });
  afterAll(() => deployment.stop());

  it('measures a running deployment, and finds nothing of its own in the cache, run after run', async () => {
    for (const _ of ['first', 'second']) {
      const { code, output } = await runBench('--url', `${api.url}/`, '--texts', '500', '--queries', '40');
      expect(output).toContain(`${api.url}: ${MODEL}, fp32, 32 dimensions, ready workers: 1\n`);
      expect(output).toContain('500/500 texts');
      expect(output).toMatch(/^bulk job +texts\/s +tokens\/s +seconds +from the cache$/m);
      expect(output).toMatch(/^first pass +[\d,]+ +[\d,]+ +[\d.]+ +0$/m);
      expect(output).toMatch(/^again, cached +[\d,]+ +[\d,]+ +[\d.]+ +500$/m);
      expect(output).toMatch(/^single queries, ms +p50 +p95 +p99 +queries\/s$/m);
      for (const clients of ['1 client', '8 clients', '32 clients']) {
        expect(output).toMatch(new RegExp(`^${clients}( +[\\d.]+){3} +[\\d,]+$`, 'm'));
      }
      expect(code).toBe(0);
    }
  });

  it('gives its key with every request', async () => {
    const { url, server, given } = await gate(api.url, 'open sesame');
    const refused = await runBench('--url', url);
    expect(refused).toEqual({ code: 4, output: `embedmill: ${url} answers 401: give a key with --key\n` });
    given.clear();
    const { code } = await runBench('--url', url, '--key', 'open sesame', '--texts', '100', '--queries', '10');
    expect([...given]).toEqual(['Bearer open sesame']);
    expect(code).toBe(0);
    server.closeAllConnections();
    server.close();
  });

  it('cancels its job when it is interrupted', async () => {
    const bench = startBench('--url', api.url, '--texts', '100000');
    const state = async () => {
      const list = (await (await fetch(`${api.url}/v1/jobs?limit=1`)).json()) as JobList;
      return list.data[0]?.counts.texts === 100_000 ? list.data[0].state : null;
    };
    await until(
      'the job runs and is shown',
      async () => (await state()) === 'running' && /\/100,000/.test(bench.output()),
    );
    bench.interrupt();
    expect(await bench.ended).toBe(130);
    expect(await state()).toBe('cancelled');
  });

  it('says in one line what is wrong with the address or the model', async () => {
    const port = await freePort();
    expect(await runBench('--url', `http://127.0.0.1:${port}`)).toEqual({
      code: 5,
      output: `embedmill: nothing answers at http://127.0.0.1:${port} (ECONNREFUSED); give its address with --url\n`,
    });
    expect(await runBench('--url', 'localhost:8080')).toEqual({
      code: 2,
      output: 'embedmill: --url localhost:8080 is no address like http://127.0.0.1:8080\n',
    });
    expect(await runBench('--url', api.url, '--model', 'large')).toEqual({
      code: 1,
      output: `embedmill: ${api.url} serves no model "large", but ${MODEL}\n`,
    });
  });

  it('shows an example in its help', async () => {
    expect((await runBench('--help')).output).toContain('embedmill bench --url http://');
  });
});
