import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Number of lines of standard error kept to explain a failure. */
const TAIL_LINES = 20;

/** Processes still running; they are killed when the bench exits. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface PeerProcessOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A peer's process; requests and responses are lines on its standard input and output. */
export class PeerProcess {
  readonly #child;
  readonly #ended: Promise<void>;
  readonly #lines: AsyncIterator<string>;
  readonly #tail: string[] = [];

  constructor(command: string, args: readonly string[], { cwd, env = {} }: PeerProcessOptions = {}) {
    this.#child = spawn(command, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    running.add(this.#child);
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => this.#keep(error.message));
      this.#child.once('close', () => {
        running.delete(this.#child);
        resolve();
      });
    });
    // A write fails when the process has ended; that is reported by `line`, which finds no response.
    this.#child.stdin.on('error', () => {});
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    createInterface({ input: this.#child.stderr }).on('line', (line) => this.#keep(line));
  }

  /** The next line of its standard output. @throws when the output ends first */
  async line(): Promise<string> {
    const { done, value } = await this.#lines.next();
    if (done !== true) return value;
    await this.#ended;
    throw new Error(this.lastWords());
  }

  /** Writes a line to its standard input. */
  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  get alive(): boolean {
    return running.has(this.#child);
  }

  /** The last line of its standard error that mentions an error, else its last line. */
  lastWords(): string {
    return this.#tail.findLast((line) => /error/i.test(line)) ?? this.#tail.at(-1) ?? 'it ended without a word';
  }

  /** Sends SIGTERM, and SIGKILL after ten seconds. Resolves when the process has ended. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const insist = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.#ended;
    clearTimeout(insist);
  }

  #keep(line: string): void {
    if (line.trim() !== '' && this.#tail.push(line.trim()) > TAIL_LINES) this.#tail.shift();
  }
}
