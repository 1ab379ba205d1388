import { totalmem } from 'node:os';
import { type Provider, providerOf } from './provider.js';

/** What attention may take of a device's memory. */
export interface DeviceMemory {
  readonly bytes: number;
  /** Whether it was given (`EMBED_DEVICE_MEMORY`), rather than derived from the machine. */
  readonly given: boolean;
  /** Whose operators attention is made of. */
  readonly provider: Provider;
}

const GIB = 1024 ** 3;
/** Of a GPU, whose memory is not known before a session is created on it. */
const GPU_BYTES = 8 * GIB;

/**
 * The memory that one model's attention may take on a device. Default: on a CPU half of what the process may have, in
 * whole GiB so that machines of one kind have one number: it limits texts, and with them fingerprints.
 * @param device `cpu`, `cuda:N` or `webgpu`
 */
export function deviceMemory(device: string, given?: number): DeviceMemory {
  const provider = providerOf(device);
  if (given !== undefined) return { bytes: given, given: true, provider };
  if (provider !== 'cpu') return { bytes: GPU_BYTES, given: false, provider };
  const half = machineBytes() / 2;
  return { bytes: half < GIB ? half : Math.floor(half / GIB) * GIB, given: false, provider };
}

/** The machine's memory, or the control group's limit, which is 0 or beyond the machine's where there is none. */
function machineBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
