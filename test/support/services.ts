import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The build output; tests run from it, so the entries beside them are what ships. */
const DIST = new URL('../../', import.meta.url);
const ENTRIES = { api: 'apps/api/src/main.js', worker: 'apps/worker/src/main.js' } as const;
const READY = {
  api: /^embedmill api listening on (http:\/\/\S+)$/m,
  worker: /^embedmill worker ready: .*metrics (http:\/\/\S+)\/metrics$/m,
} as const;

type Kind = keyof typeof ENTRIES;

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A service is one real API or worker process, started from the build output. */
export interface Service {
  /** `http://127.0.0.1:PORT`: the API's front door, or a worker's health and metrics. */
  readonly url: string;
  readonly pid: number;
  /** Standard output and error so far, as they came. */
  output(): string;
  /** SIGTERM, then waits. @throws when it has not ended after `patienceMs` (default 30 s); it is killed then. */
  stop(patienceMs?: number): Promise<Exit>;
  /** SIGKILL, then waits. */
  kill(): Promise<Exit>;
  /** Any other signal; does not wait. */
  signal(name: NodeJS.Signals): void;
  /** Settles when the process has ended, for whatever reason. */
  readonly exited: Promise<Exit>;
}

/** Variables on top of loopback hosts, free ports and a model folder that all tests share. */
export type ServiceEnvironment = Readonly<Record<string, string>>;

/** Starts an API process and waits until it listens. @throws with its output when it ends or takes too long. */
export function startApi(environment: ServiceEnvironment, options?: StartOptions): Promise<Service> {
  return start('api', environment, options);
}

/** Starts a worker process and waits until it takes work. @throws with its output when it ends or takes too long. */
export function startWorker(environment: ServiceEnvironment, options?: StartOptions): Promise<Service> {
  return start('worker', environment, options);
}

export interface StartOptions {
  /** Default 60 s: a worker may have a model to compile first. */
  readonly patienceMs?: number;
  readonly standIn?: StandIn;
}

/** A program that stands in for the service, and says in the service's words when it is ready. */
export interface StandIn {
  readonly path: string;
  readonly args: readonly string[];
}

/** Runs an entry that is expected to end by itself, as one that cannot boot. */
export async function runToExit(
  kind: Kind,
  environment: ServiceEnvironment,
  { patienceMs = 60_000, standIn }: StartOptions = {},
): Promise<Exit & { stdout: string; stderr: string }> {
  const child = launch(kind, environment, standIn);
  return { ...(await within(patienceMs, child)), stdout: child.stdout(), stderr: child.stderr() };
}

async function start(kind: Kind, environment: ServiceEnvironment, options: StartOptions = {}): Promise<Service> {
  const patienceMs = options.patienceMs ?? 60_000;
  const child = launch(kind, environment, options.standIn);
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.process.kill('SIGKILL');
      reject(new Error(`the ${kind} was not ready after ${patienceMs} ms:\n${child.output()}`));
    }, patienceMs);
    const look = () => {
      const found = READY[kind].exec(child.stdout())?.[1];
      if (found === undefined) return;
      child.process.stdout.off('data', look);
      clearTimeout(timer);
      resolve(found);
    };
    child.process.stdout.on('data', look);
    void child.exited.then((exit) => {
      clearTimeout(timer);
      reject(new Error(`the ${kind} ended with ${exit.code ?? exit.signal} before it was ready:\n${child.output()}`));
    });
  });
  return {
    url,
    pid: child.process.pid!,
    output: child.output,
    exited: child.exited,
    signal: (name) => void child.process.kill(name),
    kill: () => {
      child.process.kill('SIGKILL');
      return child.exited;
    },
    stop: (stopPatienceMs = 30_000) => {
      child.process.kill('SIGTERM');
      return within(stopPatienceMs, child);
    },
  };
}

type Child = ReturnType<typeof launch>;

/** Children still running: none may outlive the test process. */
const running = new Set<Child['process']>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function launch(kind: Kind, environment: ServiceEnvironment, standIn?: StandIn) {
  const { path, args } = standIn ?? { path: fileURLToPath(new URL(ENTRIES[kind], DIST)), args: [] };
  const child = spawn(process.execPath, [path, ...args], {
    cwd: fileURLToPath(new URL('../', DIST)),
    env: { ...inherited(), ...DEFAULTS, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  let both = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    both += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
    both += chunk;
  });
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
  });
  return { process: child, exited, stdout: () => stdout, stderr: () => stderr, output: () => both };
}

const DEFAULTS = {
  EMBED_HOST: '127.0.0.1',
  EMBED_PORT: '0',
  EMBED_METRICS_PORT: '0',
  EMBED_THREADS: '1',
  EMBED_MODEL_DIR: fileURLToPath(new URL('../.embedmill/test-models', DIST)),
};

/** The caller's own settings of the product must not leak into a test. */
function inherited(): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value === undefined || /^(EMBED_|HF_|OTEL_|REDIS_URL$|LOG_LEVEL$|NODE_OPTIONS$|JEST_)/.test(name)) continue;
    kept[name] = value;
  }
  return kept;
}

async function within(patienceMs: number, child: Child): Promise<Exit> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), patienceMs);
  });
  const exit = await Promise.race([child.exited, late]);
  clearTimeout(timer);
  if (exit !== 'late') return exit;
  child.process.kill('SIGKILL');
  await child.exited;
  throw new Error(`the process had not ended after ${patienceMs} ms:\n${child.output()}`);
}
