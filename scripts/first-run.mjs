/**
 * Entry point of `npm start`, `npm test`, `npm run demo`, `npm run screenshots`, `npm run bench`, `npm run gpu-check` and `npm run build`:
 * installs or builds what is missing (packages, Redis, a browser, the build), then runs the command. Plain Node without
 * dependencies, since it may be the first command on a fresh clone.
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

/** What each command needs. `redis: 'program'`: a server program, since it starts, stops and kills its own Redis. */
const commands = {
  'start': { redis: 'any', run: (args) => embedmill(['up', ...args]) },
  'demo': { redis: 'any', run: (args) => embedmill(['demo', ...args]) },
  'test': {
    redis: 'program',
    chromium: true,
    run: (args) => node(['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', ...args]),
  },
  'screenshots': {
    redis: 'program',
    chromium: true,
    run: (args) => node(['dist/test/browser/screenshots.js', ...args]),
  },
  'bench': { redis: 'program', run: (args) => node(['dist/bench/src/main.js', ...args]) },
  'gpu-check': { redis: null, run: (args) => node(['dist/bench/src/gpu-check/main.js', ...args]) },
  'build': { redis: null, run: () => {} },
};

const [name = '', ...rest] = process.argv.slice(2);
try {
  const command = commands[name];
  if (!command) {
    throw new StepFailed(`usage: node scripts/first-run.mjs ${Object.keys(commands).join('|')} [arguments]`);
  }
  requireNode();
  await ensurePackages();
  if (command.redis) await ensureRedis(command.redis);
  if (command.chromium) ensureChromium();
  await ensureBuild();
  await command.run(rest);
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

/** Runs the CLI in this process, so that signals reach it directly. */
async function embedmill(args) {
  const entry = `${root}/dist/apps/cli/src/main.js`;
  process.argv = [process.argv[0], entry, ...args];
  await import(pathToFileURL(entry).href);
}

/**
 * Runs a script in a new process, since the flags are Node's. Ctrl-C reaches that process, too; this one waits for it.
 */
async function node(args) {
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], { stdio: 'inherit' });
  process.exitCode = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
