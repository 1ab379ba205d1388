import { BootError, type Dtype } from '#contracts';
import type { Manifest } from './types.js';

/** The dtype to run a model in. */
export interface DtypeChoice {
  readonly dtype: Dtype;
  /** Those to try next where a model does not have it; none if the dtype was asked for. */
  readonly fallbacks?: readonly Dtype[];
}

/**
 * The dtype that a device computes with: the requested one, else fp32 on `cpu` and fp16 on other devices, or what the
 * model has of the two.
 * @throws BootError for int8 on another device than `cpu`
 */
export function dtypeFor(device: string, requested: Dtype | undefined): DtypeChoice {
  const onCpu = device === 'cpu';
  if (requested === 'int8' && !onCpu) {
    throw new BootError(`EMBED_DTYPE=int8 runs on cpu only, not on ${device}: use fp16 there`);
  }
  if (requested !== undefined) return { dtype: requested };
  return onCpu ? { dtype: 'fp32', fallbacks: ['fp16'] } : { dtype: 'fp16', fallbacks: ['fp32'] };
}

/** @throws BootError, one line, when a model is compiled and its architecture is not served in this dtype */
export function requireDtype({ encoder }: Pick<Manifest, 'encoder'>, dtype: Dtype, source: string): void {
  const why = dtype === 'fp32' ? undefined : (encoder?.fp32Only ?? (dtype === 'fp16' ? encoder?.noHalf : undefined));
  if (why === undefined) return;
  throw new BootError(`${source}: EMBED_DTYPE=${dtype} is not served for this model: ${why}; use fp32`);
}
