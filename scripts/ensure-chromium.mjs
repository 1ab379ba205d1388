import { existsSync } from 'node:fs';
import { installByApt } from './install-by-apt.mjs';
import { isOnPath } from './is-on-path.mjs';
import { StepFailed } from './step.mjs';

const programs = ['chromium', 'chromium-browser', 'google-chrome'];

/**
 * Makes sure that the dashboard's tests have a browser: `EMBED_CHROMIUM`, one on PATH, or one installed with apt.
 * @throws StepFailed that says how to install one
 */
export function ensureChromium() {
  const given = process.env.EMBED_CHROMIUM;
  if (given) {
    if (existsSync(given)) return;
    throw new StepFailed(`EMBED_CHROMIUM=${given}: there is no such file`);
  }
  if (programs.some(isOnPath)) return;
  if (installByApt('chromium') && isOnPath('chromium')) return;
  throw new StepFailed(`The dashboard's tests need Chromium, and there is none on PATH. Install one:
  Debian           sudo apt-get install chromium
  elsewhere        Chrome or Chromium, with EMBED_CHROMIUM=/path/to/it`);
}
