import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ort from 'onnxruntime-node';
import { loadModel } from '#model';
import { makeBertModel } from '../../../test/support/random-model.js';
import { cutPooling } from './cut-pooling.js';

describe('cutPooling', () => {
  it('leaves a graph that gives one vector a token, whose mean is what was pooled', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'embedmill-'));
    await makeBertModel(folder, { pooling: 'mean' });
    const served = { name: 'small', source: folder };
    const model = await loadModel(served, { modelDir: join(folder, 'compiled'), hfEndpoint: '', device: 'cpu' });
    await cp(dirname(model.onnxPath), join(folder, 'cut'), { recursive: true });
    await writeFile(join(folder, 'cut', 'model.onnx'), cutPooling(await readFile(model.onnxPath)));

    const tensor = (values: number[]) => new ort.Tensor('int64', BigInt64Array.from(values.map(BigInt)), [1, 4]);
    const feeds = { input_ids: tensor([2, 10, 11, 3]), attention_mask: tensor([1, 1, 1, 1]) };
    const whole = await (await ort.InferenceSession.create(model.onnxPath)).run(feeds);
    const cut = await (await ort.InferenceSession.create(join(folder, 'cut', 'model.onnx'))).run(feeds);
    const hidden = cut['last_hidden_state']!;
    expect(hidden.dims).toEqual([1, 4, 32]);
    const pooled = whole[model.graph.output]!.data as Float32Array;
    pooled.forEach((value, d) => {
      const sum = [0, 1, 2, 3].reduce((total, t) => total + (hidden.data as Float32Array)[t * 32 + d]!, 0);
      expect(sum / 4).toBeCloseTo(value, 5);
    });
    await rm(folder, { recursive: true, force: true });
  });
});
