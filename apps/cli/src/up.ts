import { readEnvironment } from '#config';
import { BootError } from '#contracts';
import { DataFolder } from './data-folder.js';
import { startDeployment } from './deployment.js';
import { freePort, isFree } from './free-port.js';
import { readable } from './log-line.js';
import { Supervisor } from './supervisor.js';
import type { Terminal } from './terminal.js';
import { untilSignal } from './until-signal.js';

export interface UpOptions {
  /** Folder for the files of Redis. */
  readonly data: string;
  readonly workers: number;
  /** Port of the API. Default: `EMBED_PORT`, else 8080, else a free port when 8080 is taken. */
  readonly port?: number;
  /** Memory bound of the cache, in Redis's notation, e.g. `512mb`. */
  readonly cacheMemory: string;
}

/**
 * Runs Redis, cache, API and workers until a signal arrives. Data stays in the data folder.
 * @throws BootError when the folder is in use, a port is taken, or a program cannot start
 */
export async function up(options: UpOptions, terminal: Terminal): Promise<void> {
  const environment = { ...process.env };
  const settings = readEnvironment(environment);
  const apiPort = await chooseApiPort(options.port ?? environment['EMBED_PORT'], settings.EMBED_HOST, terminal);
  const ownRedis = (environment['REDIS_URL'] ?? '') === '';
  const folder = ownRedis ? await DataFolder.hold(options.data) : null;
  const supervisor = new Supervisor({ print: (name, line) => terminal.from(name, readable(line)) });
  try {
    await untilSignal(
      async (signal) => {
        let redis = null;
        if (folder) {
          const [queuePort, cachePort] = [await freePort(), await freePort()];
          folder.noteRedisPorts([queuePort, cachePort]);
          redis = { queuePort, cachePort, folder: folder.path, cacheMemory: options.cacheMemory };
        }
        const { workers } = options;
        const deployment = await startDeployment(supervisor, { environment, settings, apiPort, workers, redis });
        terminal.say();
        terminal.say(`  Embedmill is up      ${deployment.apiUrl}`);
        terminal.say(`  OpenAI base URL      ${deployment.apiUrl}/v1`);
        terminal.say(`  API reference        ${deployment.apiUrl}/docs`);
        terminal.say(`  metrics              ${deployment.apiUrl}/metrics`);
        terminal.say(`  queue and results    ${deployment.queueUrl}${folder ? ` (kept in ${folder.path})` : ''}`);
        terminal.say(`  cache                ${deployment.cacheUrl}`);
        const processes = supervisor.pids().map(({ name, pid }) => `${name} ${pid}`);
        terminal.say(`  processes            ${processes.join(', ')}`);
        terminal.say('  Ctrl-C stops it.');
        terminal.say();
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      },
      async () => {
        terminal.say('stopping: workers finish what they hold, then the API, then Redis …');
        await supervisor.stop();
        terminal.say('stopped');
      },
      () => supervisor.kill(),
    );
  } finally {
    folder?.release();
  }
}

async function chooseApiPort(wanted: number | string | undefined, host: string, terminal: Terminal): Promise<number> {
  if (wanted !== undefined && wanted !== '') {
    const port = Number(wanted);
    if (port === 0) return freePort(host);
    if (await isFree(port, host)) return port;
    throw new BootError(`port ${port} of ${host} is taken; choose another with --port`);
  }
  if (await isFree(8080, host)) return 8080;
  const port = await freePort(host);
  terminal.say(`port 8080 is taken: the API listens on ${port} instead`);
  return port;
}
