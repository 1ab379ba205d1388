import { fileURLToPath } from 'node:url';
import { availableParallelism } from 'node:os';
import type { Environment } from '#config';
import type { Program } from './child-process.js';
import { cacheRedis, findRedisServer, queueRedis } from './redis-server.js';
import type { Supervisor } from './supervisor.js';

export interface DeploymentOptions {
  /** Environment of the programs, to which `startDeployment` adds. */
  readonly environment: NodeJS.ProcessEnv;
  /** The same environment, parsed. */
  readonly settings: Environment;
  readonly apiPort: number;
  readonly workers: number;
  /** Ports and folders of Redis servers to start; null to use those of the settings. */
  readonly redis: {
    readonly queuePort: number;
    readonly cachePort: number;
    readonly folder: string;
    readonly cacheMemory: string;
  } | null;
}

/** Addresses of the parts of a running deployment. */
export interface Deployment {
  readonly apiUrl: string;
  readonly queueUrl: string;
  readonly cacheUrl: string;
  /** The workers' ready lines. */
  readonly workers: readonly string[];
}

/** Extra time that a process gets to exit after its own deadline, ms. */
const GRACE_MS = 10_000;

/**
 * Starts everything under `supervisor`: Redis first, then API and workers together.
 * @throws BootError when one of them cannot start
 */
export async function startDeployment(supervisor: Supervisor, options: DeploymentOptions): Promise<Deployment> {
  const { environment, settings, redis } = options;
  if (redis) {
    const program = findRedisServer(environment['PATH']);
    await supervisor.start([
      queueRedis(program, `${redis.folder}/queue`, redis.queuePort),
      cacheRedis(program, `${redis.folder}/cache`, redis.cachePort, redis.cacheMemory),
    ]);
  }
  const queueUrl = redis ? `redis://127.0.0.1:${redis.queuePort}` : settings.REDIS_URL;
  const cacheUrl = redis ? `redis://127.0.0.1:${redis.cachePort}` : (settings.EMBED_CACHE_REDIS_URL ?? queueUrl);
  const shared = { ...environment, REDIS_URL: queueUrl, EMBED_CACHE_REDIS_URL: cacheUrl };

  const api = supervisor.start([
    {
      ...ours('api', '../../api/src/main.js', { ...shared, EMBED_PORT: String(options.apiPort) }),
      ready: /embedmill api listening on (\S+)/,
      stopMs: GRACE_MS,
    },
  ]);
  // A tier after the API, so that workers stop first: what they finish while draining still reaches waiting requests.
  const workers = supervisor.start(
    Array.from({ length: options.workers }, (_, index) => ({
      ...ours(options.workers === 1 ? 'worker' : `worker-${index + 1}`, '../../worker/src/main.js', {
        ...shared,
        EMBED_THREADS: environment['EMBED_THREADS'] ?? String(threadsOfEach(options.workers)),
      }),
      ready: /embedmill worker ready: (.+)/,
      stopMs: settings.EMBED_DRAIN_MS + GRACE_MS,
    })),
  );
  const [apiLines, workerLines] = await Promise.all([api, workers]);
  const apiUrl = /https?:\/\/\S+/.exec(apiLines[0] ?? '')?.[0] ?? `http://127.0.0.1:${options.apiPort}`;
  return { apiUrl, queueUrl, cacheUrl, workers: workerLines };
}

/** Several workers on one machine share its cores. */
function threadsOfEach(workers: number): number {
  return Math.max(1, Math.floor(availableParallelism() / workers));
}

function ours(name: string, entry: string, env: NodeJS.ProcessEnv): Omit<Program, 'ready' | 'stopMs'> {
  const preload = new URL('./die-with-parent.js', import.meta.url);
  return {
    name,
    command: process.execPath,
    args: ['--import', preload.href, fileURLToPath(new URL(entry, import.meta.url))],
    env,
    diesWithParent: true,
  };
}
