/**
 * Run as a program of its own: exits with code 3 while the device computes one batch after another.
 *
 * Arguments: a folder for the graph.
 */
import { writeBagOfTokens } from './bag-of-tokens.fixture.js';
import { OnnxDevice } from './onnx-device.js';

const [rows, tokens] = [2000, 1000];
const device = await OnnxDevice.start({
  model: await writeBagOfTokens(process.argv[2]!),
  device: { kind: 'cpu' },
  threads: 1,
  tokenBudget: 256,
  maxTokens: 64,
});
for (let runs = 0; runs < 8; runs++) {
  const ids = new Int32Array(rows * tokens);
  void device.run({ rows, tokens, ids, types: null, lengths: new Int32Array(rows).fill(tokens) });
}
setTimeout(() => process.exit(3), 100);
