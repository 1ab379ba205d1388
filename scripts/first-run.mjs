/**
 * The door behind `npm start`, `npm test`, `npm run demo`, `npm run bench` and `npm run build`: makes ready what is
 * missing (packages, Redis, a browser, build), then runs the thing. Plain Node, no dependencies: it may be the very first command
 * on a fresh clone.
 */
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureBuild } from './ensure-build.mjs';
import { ensureChromium } from './ensure-chromium.mjs';
import { ensurePackages } from './ensure-packages.mjs';
import { ensureRedis } from './ensure-redis.mjs';
import { StepFailed } from './step.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);

/** What each door needs before it opens. `redis: 'program'`: a server to start, since its tests stop and kill Redis. */
const doors = {
  start: { redis: 'any', run: (args) => embedmill(['up', ...args]) },
  demo: { redis: 'any', run: (args) => embedmill(['demo', ...args]) },
  test: {
    redis: 'program',
    chromium: true,
    run: (args) => node(['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', ...args]),
  },
  screenshots: {
    redis: 'program',
    chromium: true,
    run: (args) => node(['dist/test/browser/screenshots.js', ...args]),
  },
  bench: { redis: 'program', run: (args) => node(['dist/bench/src/main.js', ...args]) },
  build: { redis: null, run: () => {} },
};

const [name = '', ...rest] = process.argv.slice(2);
try {
  const door = doors[name];
  if (!door) throw new StepFailed(`usage: node scripts/first-run.mjs ${Object.keys(doors).join('|')} [arguments]`);
  requireNode();
  await ensurePackages();
  if (door.redis) await ensureRedis(door.redis);
  if (door.chromium) ensureChromium();
  await ensureBuild();
  await door.run(rest);
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new StepFailed(`Embedmill needs Node 20.19 or newer; this is ${process.version}.`);
  }
}

/** In this very process, so that signals reach the program without anybody in between. */
async function embedmill(args) {
  const entry = `${root}/dist/apps/cli/src/main.js`;
  process.argv = [process.argv[0], entry, ...args];
  await import(pathToFileURL(entry).href);
}

/** In a process of its own, since the flags are Node's. Ctrl-C reaches it too: its end is ours. */
async function node(args) {
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], { stdio: 'inherit' });
  process.exitCode = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
