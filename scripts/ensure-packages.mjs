import { readFileSync } from 'node:fs';
import { say, step } from './step.mjs';

/** Installs the locked packages when some are missing or have another version. */
export async function ensurePackages() {
  const wrong = wrongPackages();
  if (wrong === 0) return;
  say(wrong === null ? 'installing packages …' : `installing packages (${wrong} missing or changed) …`);
  // onnxruntime-node contains the CPU and WebGPU providers; its install script would only download CUDA from elsewhere.
  const seconds = step('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], {
    ONNXRUNTIME_NODE_INSTALL: 'skip',
  });
  say(`packages installed in ${seconds} s`);
}

/**
 * Compares package-lock.json with npm's record of its last installation: file times are of no use after a clone.
 * @returns number of locked packages that are missing or have another version; null when nothing is installed
 */
function wrongPackages() {
  const locked = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;
  let installed;
  try {
    installed = JSON.parse(readFileSync('node_modules/.package-lock.json', 'utf8')).packages;
  } catch {
    return null;
  }
  return Object.entries(locked).filter(
    ([path, entry]) =>
      path !== '' && !entry.optional && !entry.devOptional && !entry.peer && installed[path]?.version !== entry.version,
  ).length;
}
