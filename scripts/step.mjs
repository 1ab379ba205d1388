import { spawnSync } from 'node:child_process';

/** A failure that the user must know of; only its message is shown. */
export class StepFailed extends Error {}

export function say(line) {
  // To standard error: standard output is for the program itself.
  console.error(`· ${line}`);
}

/**
 * Runs a program to its end, silently.
 * @returns seconds it took
 * @throws StepFailed with the program's last lines when it fails
 */
export function step(command, args, env = {}) {
  const started = performance.now();
  const done = spawnSync(command, args, {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    // npm is a script on Windows, and those only run in a shell.
    shell: process.platform === 'win32',
  });
  if (done.status !== 0) {
    const tail = `${done.stdout ?? ''}${done.stderr ?? ''}${done.error?.message ?? ''}`.trim().split('\n').slice(-30);
    throw new StepFailed(`${command} ${args.join(' ')} failed:\n${tail.join('\n')}`);
  }
  return ((performance.now() - started) / 1000).toFixed(0);
}
