/** ONNX Runtime's execution providers, for each of which a graph may have other operators. */
export type Provider = 'cpu' | 'cuda' | 'webgpu';

/** @param device `cpu`, `cuda`, `cuda:N` or `webgpu` */
export function providerOf(device: string): Provider {
  if (device === 'webgpu') return 'webgpu';
  return device.startsWith('cuda') ? 'cuda' : 'cpu';
}
