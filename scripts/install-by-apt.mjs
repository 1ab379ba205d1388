import { existsSync } from 'node:fs';
import { isOnPath } from './is-on-path.mjs';
import { say, step } from './step.mjs';

/**
 * Installs a package of Debian or Ubuntu, if this process runs there as root.
 * @returns whether the package was installed
 * @throws StepFailed when the installation fails
 */
export function installByApt(name) {
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version') || !isOnPath('apt-get')) return false;
  const quiet = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  say(`installing ${name} with apt-get …`);
  step('apt-get', ['update', '-qq'], quiet);
  step('apt-get', ['install', '-qq', '-y', '--no-install-recommends', name], quiet);
  return true;
}
