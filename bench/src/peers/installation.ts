import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Absent } from './peer.js';
import { PEERS_FOLDER, PYTHON_SOURCES } from './peers-folder.js';

const run = promisify(execFile);
/** A version that runs on the project's version of ONNX Runtime. */
export const TRANSFORMERS_JS = '4.3.1';
const LEAST_PYTHON = [3, 9] as const;
const PATIENCE_MS = 1_800_000;

/**
 * Installs transformers.js, once.
 * @returns the file to import
 * @throws Absent when it cannot be installed
 */
export async function installTransformersJs(say: (line: string) => void): Promise<string> {
  const folder = join(PEERS_FOLDER, `transformers-js-${TRANSFORMERS_JS}`);
  const entry = join(folder, 'node_modules/@huggingface/transformers/dist/transformers.node.mjs');
  if (existsSync(entry)) return entry;
  say(`installing transformers.js ${TRANSFORMERS_JS} into ${folder}`);
  await mkdir(folder, { recursive: true });
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await attempt('npm', ['install', '--prefix', folder, ...flags, `@huggingface/transformers@${TRANSFORMERS_JS}`]);
  return entry;
}

/** The virtual environment of the Python peers. */
export interface PythonPeers {
  /** Folder with its programs. */
  readonly bin: string;
  /** `3.11.7`. */
  readonly version: string;
  /** As pinned: `torch 2.15.0`. */
  readonly packages: readonly string[];
}

/**
 * Creates a virtual environment with the Python peers, once.
 * @throws Absent when they cannot be installed
 */
export async function installPythonPeers(say: (line: string) => void): Promise<PythonPeers> {
  const requirements = join(PYTHON_SOURCES, 'requirements.txt');
  const wanted = await readFile(requirements, 'utf8');
  const version = await pythonVersion();
  const folder = join(PEERS_FOLDER, 'python');
  const stamp = join(folder, 'installed.txt');
  const identity = `${version}\n${wanted}`;
  if (!existsSync(stamp) || (await readFile(stamp, 'utf8')) !== identity) {
    say(`installing the Python peers into ${folder}: about 6 GB, since PyTorch brings CUDA`);
    await rm(folder, { recursive: true, force: true });
    await attempt('python3', ['-m', 'venv', folder]);
    await attempt(join(folder, 'bin/pip'), ['install', '--quiet', '--requirement', requirements]);
    await writeFile(stamp, identity);
  }
  const packages = wanted.split('\n').filter((line) => /^\w/.test(line));
  return { bin: join(folder, 'bin'), version, packages: packages.map((line) => line.replace('==', ' ')) };
}

async function pythonVersion(): Promise<string> {
  const { stdout } = await attempt('python3', ['--version']);
  const version = /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? '0.0.0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major !== LEAST_PYTHON[0] || minor < LEAST_PYTHON[1]) {
    throw new Absent(`python3 is ${version}, not ${LEAST_PYTHON.join('.')} or newer`);
  }
  return version;
}

async function attempt(command: string, args: readonly string[]): Promise<{ stdout: string }> {
  try {
    return await run(command, [...args], { timeout: PATIENCE_MS, maxBuffer: 2 ** 26 });
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    const words = `${stderr}\n${message}`.split('\n').filter((line) => line.trim() !== '');
    const line = words.find((word) => /^(ERROR|npm error|error)/i.test(word)) ?? words[0] ?? 'no reason given';
    // A report must not show where this machine gets its packages from.
    const reason = line.trim().replace(/https?:\/\/\S+/g, '…');
    throw new Absent(`\`${command.split('/').at(-1)} ${args.slice(0, 2).join(' ')}\` failed: ${reason}`, {
      cause: error,
    });
  }
}
