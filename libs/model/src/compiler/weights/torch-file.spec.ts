import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { BootError } from '#contracts';
import { addDenseModule } from '../../../../../test/support/dense-module.js';
import { makeBertModel } from '../../../../../test/support/random-model.js';
import { readTensors } from '../../../../../test/support/reference-forward.js';
import { encodeTorchFile, global, text, tuple, whole, zip } from '../../../../../test/support/torch-file.js';
import { loadModel } from '../../load.js';
import { pickFiles } from '../../resolve/pick-files.js';
import type { RunnableModel } from '../../types.js';
import { WeightsReader } from './weights-reader.js';

/** Made by PyTorch: test/goldens/torch_files.py. */
const REAL = fileURLToPath(new URL('../../../../../../test/goldens/data/torch/', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-torch-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const sequence = (length: number, first = 0, step = 1) => Array.from({ length }, (_, i) => (first + i * step) / 8);

it('reads tensors that PyTorch has saved, with their strides and offsets', async () => {
  const reader = await WeightsReader.open([join(REAL, 'tensors.bin')]);
  const read = async (name: string) => {
    const { data, shape } = await reader.read(name);
    return [shape, [...data]];
  };
  expect(await read('plain')).toEqual([[4, 6], sequence(24)]);
  expect(await read('transposed')).toEqual([[6, 4], sequence(6).flatMap((_, row) => sequence(4, row, 6))]);
  expect(await read('row')).toEqual([[4], sequence(4, 13)]);
  expect(await read('half')).toEqual([[4], [0, 0.25, 0.5, 0.75]]);
  expect(await read('brain')).toEqual([[4], [0, 0.25, 0.5, 0.75]]);
  expect(await read('parameter')).toEqual([
    [1, 2],
    [1.5, -2.5],
  ]);
  expect(await read('scalar')).toEqual([[], [3.25]]);
  expect(await read('empty')).toEqual([[0, 3], []]);
  expect([...(await reader.readNumbers('long')).data]).toEqual([0, 511]);
  await expect(reader.read('long')).rejects.toThrow(/stored as I64/);
  await reader.close();
});

it('refuses a file of PyTorch before 1.6, with the way to convert it', async () => {
  await expect(WeightsReader.open([join(REAL, 'legacy.bin')])).rejects.toThrow(
    /legacy\.bin: it is no file of PyTorch 1\.6 or newer; .* python -c "import torch; .*save_file/,
  );
});

/** `os.system('touch FOLDER/done')`, as a malicious file would have it. */
const attack = () =>
  Buffer.concat([
    Buffer.from([0x80, 2]),
    global('os', 'system'),
    tuple(text(`touch ${folder}/done`)),
    Buffer.from('R.'),
  ]);

/** A dictionary with one tensor of `count` numbers in the file's first storage. */
function oneTensor({ count = 4, offset = 0, shape = [4], strides = [1], type = 'FloatStorage', key = '0' }): Buffer {
  const storage = tuple(text('storage'), global('torch', type), text(key), text('cpu'), whole(count));
  const args = tuple(
    Buffer.concat([storage, Buffer.from('Q')]),
    whole(offset),
    tuple(...shape.map(whole)),
    tuple(...strides.map(whole)),
  );
  const rebuild = global('torch._utils', '_rebuild_tensor_v2');
  return Buffer.concat([Buffer.from('}('), text('x'), rebuild, args, Buffer.from('Ru.')]);
}

const FOUR = new Map([['x', { shape: [4], data: Float32Array.of(1, 2, 3, 4) }]]);

it.each<[string, () => Buffer, RegExp]>([
  ['a call', () => encodeTorchFile(FOUR, attack()), /it calls "os system"/],
  ['a class of storage', () => encodeTorchFile(FOUR, oneTensor({ type: 'load' })), /storages of type "torch load"/],
  ['an operation', () => encodeTorchFile(FOUR, Buffer.from('(i')), /it has the operation 0x69/],
  [
    'a member of an object',
    () => encodeTorchFile(FOUR, oneTensor({ type: 'constructor' })),
    /type "torch constructor"/,
  ],
  ['no dictionary', () => encodeTorchFile(FOUR, Buffer.from('K\u0001.')), /it is no dictionary of tensors/],
  [
    'a storage larger than its file',
    () => encodeTorchFile(FOUR, oneTensor({ count: 5 })),
    /"x" reaches beyond its data/,
  ],
  ['a tensor larger than its storage', () => encodeTorchFile(FOUR, oneTensor({ shape: [5] })), /"x" reaches beyond/],
  ['an offset beyond it', () => encodeTorchFile(FOUR, oneTensor({ offset: 1 })), /"x" reaches beyond its data/],
  ['strides beyond it', () => encodeTorchFile(FOUR, oneTensor({ shape: [3], strides: [2] })), /"x" reaches beyond/],
  ['negative strides', () => encodeTorchFile(FOUR, oneTensor({ strides: [-1] })), /a size is not a whole number/],
  ['numbers repeated', () => encodeTorchFile(FOUR, oneTensor({ shape: [9e8], strides: [0] })), /repeats its numbers/],
  ['a missing storage', () => encodeTorchFile(FOUR, oneTensor({ key: '../x' })), /tensor "x" has no data/],
  ['a compressed file', () => zip([['a/data.pkl', Buffer.from('}.')]], 8), /"a\/data\.pkl" in it is compressed/],
  ['no pickle', () => zip([['a/data', Buffer.from('}.')]]), /it has no data\.pkl/],
  [
    'big-endian numbers',
    () =>
      zip([
        ['a/data.pkl', Buffer.from('}.')],
        ['a/byteorder', Buffer.from('big')],
      ]),
    /little/,
  ],
])('refuses %s', async (name, bytes, message) => {
  const path = join(folder, `${name.replaceAll(' ', '-')}.bin`);
  await writeFile(path, bytes());
  await expect(WeightsReader.open([path])).rejects.toThrow(message);
  await expect(readFile(join(folder, 'done'))).rejects.toThrow(/ENOENT/);
});

it('refuses a damaged file in one line, wherever it is damaged', async () => {
  const whole = await readFile(join(REAL, 'tensors.bin'));
  const path = join(folder, 'damaged.bin');
  const at = fc.nat({ max: whole.length - 1 });
  await fc.assert(
    fc.asyncProperty(at, fc.nat({ max: 255 }), fc.option(at), async (place, value, end) => {
      const bytes = Buffer.from(whole.subarray(0, end ?? undefined));
      if (place < bytes.length) bytes[place] = value;
      await writeFile(path, bytes);
      try {
        await (await WeightsReader.open([path])).close();
      } catch (error) {
        expect(error).toBeInstanceOf(BootError);
        expect((error as Error).message).not.toContain('\n');
      }
    }),
    { numRuns: 200 },
  );
});

async function toTorch(path: string, files: readonly string[]): Promise<void> {
  const tensors = [...readTensors(path)];
  const size = Math.ceil(tensors.length / files.length);
  for (const [n, file] of files.entries()) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, encodeTorchFile(new Map(tensors.slice(n * size, (n + 1) * size))));
  }
  await rm(path);
}

function load(source: string): Promise<RunnableModel> {
  const options = {
    modelDir: join(folder, 'models'),
    hfEndpoint: 'http://127.0.0.1:1',
    device: 'cpu',
    dtype: 'fp32',
  } as const;
  return loadModel({ name: 'm', source }, options);
}

it.each([1, 3])('compiles the same graph from safetensors and from %d files of PyTorch', async (count) => {
  const at = join(folder, `bert-${count}`);
  await makeBertModel(at);
  await addDenseModule(at, { inputs: 32, outputs: 16 });
  const before = await load(at);
  const shards = Array.from({ length: count }, (_, n) => `pytorch_model-0000${n + 1}-of-0000${count}.bin`);
  const names = count === 1 ? ['pytorch_model.bin'] : shards;
  await toTorch(
    join(at, 'model.safetensors'),
    names.map((name) => join(at, name)),
  );
  await toTorch(join(at, '2_Dense/model.safetensors'), [join(at, '2_Dense/pytorch_model.bin')]);
  const after = await load(at);
  expect(after.onnxPath).not.toBe(before.onnxPath);
  const weights = (model: RunnableModel) => readFile(join(dirname(model.onnxPath), 'weights.bin'));
  expect(await weights(after)).toEqual(await weights(before));
  expect(await readFile(after.onnxPath)).toEqual(await readFile(before.onnxPath));
});

it('prefers safetensors, and ONNX except in int8', () => {
  const torch = ['config.json', 'tokenizer.json', 'pytorch_model.bin'];
  expect(pickFiles(torch, 'fp32').weights).toEqual(['pytorch_model.bin']);
  expect(pickFiles([...torch, 'model.safetensors'], 'fp32').weights).toEqual(['model.safetensors']);
  const onnx = [...torch, 'onnx/model.onnx', 'onnx/model_int8.onnx'];
  expect(pickFiles(onnx, 'fp32').weights).toEqual([]);
  expect(pickFiles(onnx, 'fp16').weights).toEqual(['pytorch_model.bin']);
  expect(pickFiles(onnx, 'int8').weights).toEqual(['pytorch_model.bin']);
});
