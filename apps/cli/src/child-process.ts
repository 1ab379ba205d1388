import { spawn, type ChildProcess as NodeChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A program to run, and the line of its output that says it is ready. */
export interface Program {
  /** Short name to show: `api`, `worker-1`. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly ready: RegExp;
  /** Whether the program stops by itself when this process disappears, as our own programs do. */
  readonly diesWithParent?: boolean;
  /** Time between SIGTERM and SIGKILL when it is stopped, ms. */
  readonly stopMs: number;
  /** Its output is not printed, only kept to be shown when it fails. */
  readonly silent?: boolean;
}

/** How a process ended: `exit code 1`, `SIGKILL`, or why it could not be started. */
export type Ending = string;

/** Number of output lines kept to explain a failure. */
const TAIL_LINES = 20;

/** One run of a program. */
export class ChildProcess {
  /** The ready line; rejects when the process ends before it. */
  readonly ready: Promise<string>;
  readonly ended: Promise<Ending>;
  readonly program: Program;
  readonly #process: NodeChildProcess;
  readonly #tail: string[] = [];
  #running = true;

  /** @param onLine every line the program writes, to either stream */
  constructor(program: Program, onLine: (line: string) => void) {
    this.program = program;
    this.#process = spawn(program.command, program.args, {
      env: program.env,
      stdio: program.diesWithParent ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
      // A separate process group: Ctrl-C in a terminal must not stop Redis while a worker still drains.
      detached: true,
    });
    this.ended = new Promise((resolve) => {
      const end = (ending: Ending) => {
        this.#running = false;
        resolve(ending);
      };
      this.#process.once('error', (error) => end(error.message));
      // `close`, not `exit`: by then the last lines have been read.
      this.#process.once('close', (code, signal) => end(signal ?? `exit code ${code}`));
    });
    this.ready = new Promise((resolve, reject) => {
      for (const stream of [this.#process.stdout, this.#process.stderr]) {
        if (!stream) continue;
        createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
          if (this.#tail.push(line) > TAIL_LINES) this.#tail.shift();
          onLine(line);
          if (program.ready.test(line)) resolve(line);
        });
      }
      void this.ended.then((ending) => reject(new Error(`${program.name} did not start: ${ending}`)));
    });
    // Callers need not wait for `ready`; without this, its rejection would be unhandled.
    this.ready.catch(() => {});
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get running(): boolean {
    return this.#running;
  }

  /** The last lines it wrote. */
  get tail(): readonly string[] {
    return this.#tail;
  }

  /** Sends SIGTERM, and SIGKILL after `stopMs`. Resolves when the process has ended. */
  async stop(): Promise<Ending> {
    if (!this.#running) return this.ended;
    this.#process.kill('SIGTERM');
    const insist = setTimeout(() => this.kill(), this.program.stopMs);
    const ending = await this.ended;
    clearTimeout(insist);
    return ending;
  }

  kill(): void {
    if (this.#running) this.#process.kill('SIGKILL');
  }
}
