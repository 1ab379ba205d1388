import { BootError } from '#contracts';

/** The hardware that a session runs on. `index` is the CUDA device number, from 0. */
export type DeviceChoice =
  { readonly kind: 'cpu' } | { readonly kind: 'cuda'; readonly index: number } | { readonly kind: 'webgpu' };

/**
 * Parses `cpu`, `webgpu`, `cuda` (the first GPU) or `cuda:N`.
 * @throws BootError for anything else
 */
export function parseDevice(text: string): DeviceChoice {
  const found = /^(?:(cpu)|(webgpu)|cuda(?::(\d+))?)$/.exec(text);
  if (found === null) throw new BootError(`device "${text}" is unknown: use cpu, webgpu, cuda or cuda:N`);
  if (found[1] !== undefined) return { kind: 'cpu' };
  if (found[2] !== undefined) return { kind: 'webgpu' };
  return { kind: 'cuda', index: Number(found[3] ?? 0) };
}

/** The inverse of `parseDevice`: `cpu`, `webgpu`, `cuda:0`. */
export function deviceName(choice: DeviceChoice): string {
  return choice.kind === 'cuda' ? `cuda:${choice.index}` : choice.kind;
}
