import { probeDevice } from './probe-device.js';

describe('probeDevice', () => {
  it('finds a CPU', async () => {
    await expect(probeDevice({ kind: 'cpu' })).resolves.toBeUndefined();
  });

  it('runs an encoder in half precision, too', async () => {
    await expect(probeDevice({ kind: 'cpu' }, { half: true })).resolves.toBeUndefined();
  });

  it('says what to do about a device that cannot be had', async () => {
    await expect(probeDevice({ kind: 'cuda', index: 99 })).rejects.toThrow(/^device cuda:99 cannot be had: install/);
  });
});
