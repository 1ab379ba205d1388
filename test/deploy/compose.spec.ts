import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import type { Program } from '../../apps/cli/src/child-process.js';
import { freePort } from '../../apps/cli/src/free-port.js';
import { findRedisServer } from '../../apps/cli/src/redis-server.js';
import { Supervisor } from '../../apps/cli/src/supervisor.js';
import { environmentSchema, readEnvironment } from '#config';

/** The members of a Compose service that these tests look at. */
interface Service {
  readonly command: string;
  readonly image: string;
  readonly build?: { readonly dockerfile: string; readonly target: string };
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly profiles?: readonly string[];
  readonly container_name?: string;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly stop_grace_period?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy?: { readonly resources: { readonly reservations: { readonly devices: readonly unknown[] } } };
}

type ServiceName = 'queue-redis' | 'cache-redis' | 'api' | 'worker' | 'worker-gpu';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const compose = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
  services: Record<ServiceName, Service>;
  volumes: Record<string, unknown>;
};
const { services } = compose;

/** A command line as Compose splits it: by blanks, with double quotes. */
function words(command: string): string[] {
  return (command.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^"(.*)"$/, '$1'));
}

/** `--flag value` pairs of a redis-server command. */
function redisFlags(command: string): Record<string, string> {
  const [program, ...rest] = words(command);
  expect(program).toBe('redis-server');
  return Object.fromEntries(
    rest.flatMap((word, index) => (word.startsWith('--') ? [[word.slice(2), rest[index + 1] ?? '']] : [])),
  );
}

/** Compose's own `${NAME:-default}`, with nothing set. */
function withDefaults(value: string | number): string {
  return String(value).replace(/\$\{[A-Z_]+:-([^}]*)\}/g, '$1');
}

function environmentOf(service: Service): Record<string, string> {
  return Object.fromEntries(
    Object.entries(service.environment ?? {}).map(([name, value]) => [name, withDefaults(value)]),
  );
}

describe('docker-compose.yml', () => {
  it('has the five services', () => {
    expect(Object.keys(services).sort()).toEqual(['api', 'cache-redis', 'queue-redis', 'worker', 'worker-gpu']);
  });

  it('keeps what the queue acknowledged: append-only file on a volume, nothing evicted', () => {
    expect(redisFlags(services['queue-redis'].command)).toMatchObject({
      'appendonly': 'yes',
      'appendfsync': 'everysec',
      'rdbcompression': 'no',
      'maxmemory-policy': 'noeviction',
    });
    expect(services['queue-redis'].volumes).toEqual(['queue:/data']);
    expect(Object.keys(compose.volumes)).toContain('queue');
    expect(services['queue-redis'].healthcheck?.test).toEqual(['CMD', 'redis-cli', 'ping']);
  });

  it('bounds the cache and lets it forget', () => {
    expect(redisFlags(services['cache-redis'].command)).toMatchObject({
      'maxmemory': '1gb',
      'maxmemory-policy': 'allkeys-lfu',
      'appendonly': 'no',
    });
    expect(services['cache-redis'].volumes).toBeUndefined();
  });

  it('scales workers: no fixed name and no port of the host', () => {
    for (const worker of [services.worker, services['worker-gpu']]) {
      expect(worker.container_name).toBeUndefined();
      expect(worker.ports).toBeUndefined();
    }
  });

  it('starts the GPU worker only when asked to, with a device and fp16', () => {
    expect(services['worker-gpu'].profiles).toEqual(['gpu']);
    expect(services.worker.profiles).toBeUndefined();
    expect(environmentOf(services['worker-gpu'])).toMatchObject({ EMBED_DEVICE: 'cuda:0', EMBED_DTYPE: 'fp16' });
    expect(services['worker-gpu'].deploy?.resources.reservations.devices).toEqual([
      { driver: 'nvidia', count: 1, capabilities: ['gpu'] },
    ]);
  });

  it('publishes the API on this machine alone unless told otherwise', () => {
    expect(services.api.ports?.map(withDefaults)).toEqual(['127.0.0.1:8080:8080']);
  });

  it('gives a worker longer to stop than it takes to drain', () => {
    const drainMs = readEnvironment(environmentOf(services.worker)).EMBED_DRAIN_MS;
    expect(Number.parseInt(services.worker.stop_grace_period ?? '', 10) * 1000).toBeGreaterThan(drainMs);
  });

  it('builds from stages that the Dockerfile has, as a user that is not root', () => {
    const dockerfile = readFileSync(join(root, 'deploy/Dockerfile'), 'utf8');
    for (const name of ['api', 'worker', 'worker-gpu'] as const) {
      expect(services[name].build?.dockerfile).toBe('deploy/Dockerfile');
      const stage = dockerfile
        .split(/^FROM /m)
        .find((text) => text.split('\n')[0]?.endsWith(` AS ${services[name].build?.target}`));
      expect(stage).toMatch(/^USER (node|1000:1000)$/m);
      expect(stage).toMatch(/^ENTRYPOINT \["tini", "--"\]$/m);
    }
  });

  it('sets only variables that Embedmill reads, to values that it takes', () => {
    for (const name of ['api', 'worker', 'worker-gpu'] as const) {
      const environment = environmentOf(services[name]);
      expect(Object.keys(environment).filter((variable) => !(variable in environmentSchema.shape))).toEqual([]);
      expect(() => readEnvironment(environment)).not.toThrow();
    }
  });

  it('starts API and workers after the queue is healthy', () => {
    for (const name of ['api', 'worker', 'worker-gpu'] as const) {
      expect(services[name].depends_on?.['queue-redis']?.condition).toBe('service_healthy');
    }
  });
});

/** The services' own commands and environments, with container addresses and folders replaced by local ones. */
describe('the commands of docker-compose.yml, run by hand', () => {
  const folder = mkdtempSync(join(tmpdir(), 'embedmill-compose-'));
  const supervisor = new Supervisor({ print: (name, line) => log.push(`${name}: ${line}`) });
  const log: string[] = [];
  let apiUrl = '';

  async function redis(name: 'queue-redis' | 'cache-redis'): Promise<{ program: Program; port: number }> {
    const port = await freePort();
    const [, ...flags] = words(services[name].command);
    const program = {
      name,
      command: findRedisServer(),
      args: ['--port', String(port), '--bind', '127.0.0.1', '--dir', mkdtempSync(join(folder, name)), ...flags],
      env: process.env,
      ready: /Ready to accept connections/,
      stopMs: 10_000,
    };
    return { program, port };
  }

  beforeAll(async () => {
    const queue = await redis('queue-redis');
    const cache = await redis('cache-redis');
    const local = (name: 'api' | 'worker', changes: Record<string, string>, ready: RegExp): Program => {
      const [program, ...args] = words(services[name].command);
      expect(program).toBe('node');
      const own = Object.entries({ ...environmentOf(services[name]), ...changes }).map(([variable, value]) => [
        variable,
        value
          .replace('queue-redis:6379', `127.0.0.1:${queue.port}`)
          .replace('cache-redis:6379', `127.0.0.1:${cache.port}`)
          .replace('/models', join(root, '.embedmill/test-models'))
          .replace('0.0.0.0', '127.0.0.1'),
      ]);
      const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...Object.fromEntries(own) };
      return { name, command: process.execPath, args: args.map((arg) => join(root, arg)), env, ready, stopMs: 40_000 };
    };
    await supervisor.start([queue.program, cache.program]);
    const [api] = await Promise.all([
      supervisor.start([local('api', { EMBED_PORT: '0' }, /listening on (\S+)/)]),
      supervisor.start([local('worker', { EMBED_METRICS_PORT: '0' }, /worker ready/)]),
    ]);
    apiUrl = /http:\S+/.exec(api[0] ?? '')?.[0] ?? '';
  }, 120_000);

  afterAll(async () => {
    await supervisor.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  it('answer a request', async () => {
    const response = await fetch(`${apiUrl}/v1/embeddings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'all-MiniLM-L6-v2', input: 'This is an example sentence' }),
    });
    expect(response.status).toBe(200);
    const body = (await response.json()) as { data: { embedding: number[] }[] };
    expect(body.data[0]?.embedding).toHaveLength(384);
    expect(body.data[0]?.embedding[0]).toBeCloseTo(0.0677, 3);
  });

  it('stop in order and leave nothing running', async () => {
    const pids = supervisor.pids().map(({ pid }) => pid);
    expect(pids).toHaveLength(4);
    await supervisor.stop();
    expect(supervisor.pids()).toEqual([]);
    expect(log.filter((line) => line.includes('was killed'))).toEqual([]);
  });
});
