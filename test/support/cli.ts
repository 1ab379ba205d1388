import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('../../apps/cli/src/main.js', import.meta.url));

/** How a command ended, and what it wrote. */
export interface CommandResult {
  /** null: a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `embedmill` with arguments, under way as a process of its own. */
export interface RunningCommand {
  readonly process: ChildProcess;
  readonly ended: Promise<CommandResult>;
}

/** @param environment all that it sees besides PATH and HOME */
export function startCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  stdin?: string,
): RunningCommand {
  const { HOME = '', PATH = '' } = process.env;
  const child = spawn(process.execPath, [ENTRY, ...args], { env: { HOME, PATH, ...environment } });
  running.add(child);
  child.stdin.end(stdin);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<CommandResult>((resolve) => {
    child.once('close', (code) => {
      running.delete(child);
      resolve({ code, stdout, stderr });
    });
  });
  return { process: child, ended };
}

/** Children still running: none may outlive the test process. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
