import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Lines of standard error kept to explain a failure. */
const TAIL_LINES = 20;

/** Processes still running: none may outlive the bench. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface PeerProcessOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A peer's own process, which speaks in lines. */
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
    // It may be gone when something is written; what matters then is that it answers nothing.
    this.#child.stdin.on('error', () => {});
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    createInterface({ input: this.#child.stderr }).on('line', (line) => this.#keep(line));
  }

  /** The next line of its standard output. @throws when it ends before */
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

  /** What it wrote last to standard error that sounds like a reason, in one line. */
  lastWords(): string {
    return this.#tail.findLast((line) => /error/i.test(line)) ?? this.#tail.at(-1) ?? 'it ended without a word';
  }

  /** SIGTERM, after ten seconds SIGKILL; waits for its end. */
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
