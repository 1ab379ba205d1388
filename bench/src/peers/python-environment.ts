import { join } from 'node:path';
import { PEERS_FOLDER } from './peers-folder.js';

/** Environment variables of the Python peers: number of threads, CPU only, no network access, no usage statistics. */
export function pythonEnvironment(threads: number): Record<string, string> {
  return {
    OMP_NUM_THREADS: String(threads),
    CUDA_VISIBLE_DEVICES: '',
    HF_HOME: join(PEERS_FOLDER, 'hub'),
    HF_HUB_OFFLINE: '1',
    DO_NOT_TRACK: '1',
    INFINITY_ANONYMOUS_USAGE_STATS: '0',
  };
}
