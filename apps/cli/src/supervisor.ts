import { setTimeout as sleep } from 'node:timers/promises';
import { BootError } from '#contracts';
import { ChildProcess, type Program } from './child-process.js';

export interface SupervisorOptions {
  /** Called with each output line of a program, and with the supervisor's messages about it. */
  readonly print: (name: string, line: string) => void;
  /** Wait before the first restart of a crashed program, ms; doubles up to `maxBackoffMs`. Default 500. */
  readonly backoffMs?: number;
  /** Longest wait before a restart, ms. Default 15,000. */
  readonly maxBackoffMs?: number;
}

/** After a run of this length, the wait before a restart is `backoffMs` again, ms. */
const STEADY_MS = 60_000;

/**
 * Starts programs tier by tier, restarts those that crash, and stops the tiers in reverse order. A program that ends
 * before it was first ready is not restarted: its configuration is wrong, and its output says why.
 */
export class Supervisor {
  readonly #tiers: Supervised[][] = [];
  readonly #options: SupervisorOptions;
  #stopping: Promise<void> | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /**
   * Starts the programs of one tier at the same time.
   * @returns the programs' ready lines, in order
   * @throws BootError when one ends before it is ready; the caller must still stop the others, with `stop()`
   */
  async start(programs: readonly Program[]): Promise<string[]> {
    if (this.#stopping) throw new BootError('stopped');
    const tier = programs.map((program) => new Supervised(program, this.#options));
    this.#tiers.push(tier);
    return Promise.all(tier.map((supervised) => supervised.start()));
  }

  /** Process ids of the programs that run now. */
  pids(): { name: string; pid: number }[] {
    return this.#tiers.flat().flatMap(({ name, pid }) => (pid === undefined ? [] : [{ name, pid }]));
  }

  /** Stops all programs, last tier first; each gets its `stopMs`. May be called several times. */
  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      for (const tier of this.#tiers.toReversed()) await Promise.all(tier.map((supervised) => supervised.stop()));
    })();
    return this.#stopping;
  }

  /** Sends SIGKILL to all programs. `stop()` resolves when all have ended. */
  kill(): void {
    for (const supervised of this.#tiers.flat()) supervised.kill();
  }
}

/** A program that is restarted when it crashes. */
class Supervised {
  readonly #program: Program;
  readonly #options: SupervisorOptions;
  readonly #stopped = new AbortController();
  #child: ChildProcess | null = null;
  #done: Promise<void> = Promise.resolve();

  constructor(program: Program, options: SupervisorOptions) {
    this.#program = program;
    this.#options = options;
  }

  get name(): string {
    return this.#program.name;
  }

  get pid(): number | undefined {
    return this.#child?.running ? this.#child.pid : undefined;
  }

  async start(): Promise<string> {
    const child = this.#spawn();
    try {
      const line = await child.ready;
      this.#done = this.#keep(child);
      return line;
    } catch (error) {
      if (this.#stopped.signal.aborted) throw new BootError('stopped');
      if (this.#program.silent) for (const line of child.tail) this.#print(line);
      throw new BootError(error instanceof Error ? error.message : String(error));
    }
  }

  async #keep(first: ChildProcess): Promise<void> {
    const { backoffMs = 500, maxBackoffMs = 15_000 } = this.#options;
    let wait = backoffMs;
    for (let child = first; ; child = this.#spawn()) {
      const started = performance.now();
      const ending = await child.ended;
      if (this.#stopped.signal.aborted) return;
      if (performance.now() - started > STEADY_MS) wait = backoffMs;
      this.#print(`ended by itself (${ending}), starts again in ${wait / 1000} s`);
      try {
        await sleep(wait, undefined, { signal: this.#stopped.signal });
      } catch {
        return;
      }
      wait = Math.min(2 * wait, maxBackoffMs);
    }
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    const ending = await this.#child?.stop();
    await this.#done;
    if (ending === 'SIGKILL') this.#print('did not stop in time and was killed');
  }

  kill(): void {
    this.#stopped.abort();
    this.#child?.kill();
  }

  #spawn(): ChildProcess {
    this.#child = new ChildProcess(this.#program, (line) => {
      if (!this.#program.silent) this.#print(line);
    });
    return this.#child;
  }

  #print(line: string): void {
    this.#options.print(this.name, line);
  }
}
