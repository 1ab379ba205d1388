import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Environment } from '#config';
import { parseDevice, probeDevice } from '#inference';
import { dtypeFor, NotDownloadedError, resolveModel } from '#model';
import { type Check, fail, ok, reasonOf, warn } from './check.js';

const GIB = 1024 ** 3;
/** Free disk space, bytes. A large model is stored twice: as downloaded and as compiled. */
const DISK = { warn: 5 * GIB, fail: GIB / 2 };
const LEAST_NODE = [20, 19] as const;

export function checkNode(version = process.versions.node): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNewEnough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  if (isNewEnough) return ok('node', version);
  return fail('node', version, `install Node ${LEAST_NODE.join('.')} or newer`);
}

export async function checkDevice({ EMBED_DEVICE: device, EMBED_DTYPE: requested }: Environment): Promise<Check> {
  try {
    const { dtype } = dtypeFor(device, requested);
    await probeDevice(parseDevice(device), { half: dtype === 'fp16' });
    return ok('device', `${device}, ${dtype}`);
  } catch (error) {
    return fail('device', reasonOf(error), 'as it says; a worker does not start otherwise');
  }
}

/** Checks that a worker would find its models without the network. */
export async function checkModels(environment: Environment): Promise<Check[]> {
  const { EMBED_DEVICE, EMBED_DTYPE, EMBED_MODELS, EMBED_MODELS_FILE, EMBED_MODEL_DIR, HF_ENDPOINT } = environment;
  const look = async (served: (typeof EMBED_MODELS)[number]): Promise<Check> => {
    const name = `model ${served.name}`;
    try {
      const { source } = await resolveModel(served, {
        ...dtypeFor(EMBED_DEVICE, EMBED_DTYPE),
        modelDir: EMBED_MODEL_DIR,
        modelsFile: EMBED_MODELS_FILE,
        hfEndpoint: HF_ENDPOINT,
        offline: true,
      });
      return ok(name, source);
    } catch (error) {
      const reason = reasonOf(error);
      if (!(error instanceof NotDownloadedError)) return fail(name, reason, 'set EMBED_MODELS to what is there');
      return warn(name, reason, `the first worker downloads it; ahead of time: embedmill models pull ${served.name}`);
    }
  };
  return Promise.all(EMBED_MODELS.map(look));
}

export async function checkDisk({ EMBED_MODEL_DIR: folder }: Environment): Promise<Check> {
  let path = resolve(folder);
  while (!existsSync(path)) path = dirname(path);
  const { bavail, bsize } = await statfs(path);
  const free = bavail * bsize;
  const found = `${(free / GIB).toFixed(1)} GiB free at ${folder}`;
  const advice = 'make room, or set EMBED_MODEL_DIR to a larger disk: models are downloaded and compiled there';
  if (free < DISK.fail) return fail('disk', found, advice);
  return free < DISK.warn ? warn('disk', found, advice) : ok('disk', found);
}
