import { BootError, type Dtype } from '#contracts';

/**
 * The dtype that a device computes with: the requested one, else fp32 on `cpu` and fp16 on other devices.
 * @throws BootError for int8 on another device than `cpu`
 */
export function dtypeFor(device: string, requested: Dtype | undefined): Dtype {
  const onCpu = device === 'cpu';
  if (requested === 'int8' && !onCpu) {
    throw new BootError(`EMBED_DTYPE=int8 runs on cpu only, not on ${device}: use fp16 there`);
  }
  return requested ?? (onCpu ? 'fp32' : 'fp16');
}
