import { BootError, type Dtype } from '#contracts';

/**
 * The numbers that a device computes with: fp32 on `cpu`, fp16 elsewhere, unless something else is wished for.
 * @throws BootError for int8 off the CPU
 */
export function dtypeFor(device: string, wished: Dtype | undefined): Dtype {
  const onCpu = device === 'cpu';
  if (wished === 'int8' && !onCpu) {
    throw new BootError(`EMBED_DTYPE=int8 runs on cpu only, not on ${device}: use fp16 there`);
  }
  return wished ?? (onCpu ? 'fp32' : 'fp16');
}
