import { join } from 'node:path';
import { PEERS_FOLDER } from './peers-folder.js';

/** Variables of the Python peers: so many threads, the CPU, and no word to anybody outside. */
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
