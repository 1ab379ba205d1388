import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import type { ExtraInput, GraphInterface } from '#model';
import { pack, type PackedInput } from '../batching/pack.js';
import { OnnxSession } from './onnx-session.js';

const { onnx } = onnxProto;
const { BOOL, FLOAT, FLOAT16, INT32, INT64 } = onnx.TensorProto.DataType;

/** Inputs made of token ids; the graph sums up each of them. */
const TOKEN_INPUTS = ['input_ids', 'attention_mask', 'token_type_ids', 'position_ids'];
/** Inputs with one value throughout; the graph sums up each of them by row. `past` is an empty cache: it has no columns. */
const EXTRA: readonly ExtraInput[] = [
  { name: 'task', type: 'int64', dims: ['rows', 1], value: 3 },
  { name: 'grid', type: 'int32', dims: ['rows', 'tokens'], value: -2 },
  { name: 'scale', type: 'float', dims: ['rows', 2], value: 0.25 },
  { name: 'past', type: 'float', dims: ['rows', 0], value: 1 },
  { name: 'half_past', type: 'float16', dims: ['rows', 0], value: 0 },
  { name: 'flag', type: 'bool', dims: ['rows', 1], value: 1 },
];
const WIDTH = TOKEN_INPUTS.length + EXTRA.length;
const ELEMENTS = { int64: INT64, int32: INT32, float: FLOAT, float16: FLOAT16, bool: BOOL } as const;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-session-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Writes a graph whose rows are the sums of its inputs, one column an input. */
async function writeSums(name: string, tokenType: number = INT64): Promise<string> {
  const tensor = (tensorName: string, elemType: number, dims: readonly (string | number)[]) => ({
    name: tensorName,
    type: {
      tensorType: {
        elemType,
        shape: { dim: dims.map((dim) => (typeof dim === 'number' ? { dimValue: dim } : { dimParam: dim })) },
      },
    },
  });
  const attribute = (attributeName: string, i: number) => ({
    name: attributeName,
    type: onnx.AttributeProto.AttributeType.INT,
    i,
  });
  const names = [...TOKEN_INPUTS, ...EXTRA.map((extra) => extra.name)];
  const sums = names.flatMap((input) => [
    { opType: 'Cast', input: [input], output: [`${input}_f`], attribute: [attribute('to', FLOAT)] },
    {
      opType: 'ReduceSum',
      input: [`${input}_f`, 'axes'],
      output: [`${input}_sum`],
      attribute: [attribute('keepdims', 1)],
    },
  ]);
  const concat = {
    opType: 'Concat',
    input: names.map((input) => `${input}_sum`),
    output: ['sums'],
    attribute: [attribute('axis', 1)],
  };
  const model = onnx.ModelProto.create({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'sums',
      input: [
        ...TOKEN_INPUTS.map((input) => tensor(input, tokenType, ['rows', 'tokens'])),
        ...EXTRA.map(({ name: input, type, dims }) => tensor(input, ELEMENTS[type], dims)),
      ],
      output: [tensor('sums', FLOAT, ['rows', WIDTH])],
      initializer: [{ name: 'axes', dataType: INT64, dims: [1], int64Data: [1] }],
      node: [...sums, concat],
    },
  });
  const onnxPath = join(folder, `${name}.onnx`);
  await writeFile(onnxPath, onnx.ModelProto.encode(model).finish());
  return onnxPath;
}

const graph: GraphInterface = { inputs: TOKEN_INPUTS, extraInputs: EXTRA, output: 'sums', width: WIDTH };
const open = (onnxPath: string, of: Partial<GraphInterface> = {}) =>
  OnnxSession.create({ onnxPath, graph: { ...graph, ...of }, device: { kind: 'cpu' }, threads: 1 });

const input = (ids: readonly number[], types: readonly number[] | null = null): PackedInput => ({
  ids: Int32Array.from(ids),
  types: types === null ? null : Int32Array.from(types),
});
const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, one) => total + one, 0);

/** What the graph gives for rows padded to `tokens`. */
function sumsOf(inputs: readonly PackedInput[], tokens: number, padId: number): number[] {
  return inputs.flatMap(({ ids, types }) => [
    sum(ids) + padId * (tokens - ids.length),
    ids.length,
    sum(types ?? []),
    (tokens * (tokens - 1)) / 2,
    3,
    -2 * tokens,
    0.5,
    0,
    0,
    1,
  ]);
}

describe.each([
  ['int64', INT64],
  ['int32', INT32],
])('a session over a graph that takes ids of %s', (name, tokenType) => {
  it('feeds ids, mask, segments and positions, and inputs beside these in the size of the batch', async () => {
    const session = await open(await writeSums(name, tokenType));
    const batches = [
      [input([5, 6, 7, 8], [0, 0, 1, 1]), input([9, 10]), input([1, 2, 3], [0, 1, 1])],
      // Buffers are used again: nothing of the batch before may be left.
      [input([4, 4, 4]), input([5])],
      [input([7])],
      Array.from({ length: 20 }, (_, n) => input([n, 1, 2, 3, 4, 5], [0, 1, 1, 1, 1, n % 2])),
    ];
    for (const inputs of batches) {
      const batch = pack(inputs, 100);
      expect([...(await session.run(batch))]).toEqual(sumsOf(inputs, batch.tokens, 100));
    }
    await session.close();
  });
});

it('counts positions from where the graph wants them', async () => {
  const session = await open(await writeSums('positions'), { firstPosition: 2 });
  const at = TOKEN_INPUTS.indexOf('position_ids');
  expect((await session.run(pack([input([0, 2, 3])], 0)))[at]).toBe(2 + 3 + 4);
  // The padding id is 1: such tokens have this position, within a text and after it.
  const values = await session.run(pack([input([0, 1, 2, 1, 3]), input([5, 6])], 1));
  expect([values[at], values[WIDTH + at]]).toEqual([2 + 1 + 3 + 1 + 4, 2 + 3 + 1 + 1 + 1]);
  await session.close();
});

it('runs each row alone, without padding', async () => {
  const session = await open(await writeSums('alone'), { runShape: { rows: 1, tokens: null, padId: 100 } });
  const rows = [input([5, 6, 7, 8], [0, 0, 1, 1]), input([9, 10]), input([1, 2, 3])];
  const expected = rows.flatMap((row) => sumsOf([row], row.ids.length, 100));
  expect([...(await session.run(pack(rows, 100)))]).toEqual(expected);
  await session.close();
});

it('fills runs up to a fixed number of rows and tokens', async () => {
  const session = await open(await writeSums('fixed'), { runShape: { rows: 2, tokens: 5, padId: 100 } });
  const rows = [input([5, 6, 7, 8], [0, 0, 1, 1]), input([9, 10]), input([1, 2, 3])];
  expect([...(await session.run(pack(rows, 7)))]).toEqual(sumsOf(rows, 5, 100));
  await session.close();
});

it('refuses a graph with an input that nobody feeds', async () => {
  const extraInputs = EXTRA.filter((extra) => extra.name !== 'grid');
  await expect(open(await writeSums('unknown'), { extraInputs })).rejects.toThrow(
    'the graph asks for the input grid, which is unknown',
  );
});

it('refuses rows of another width than the graph is said to give', async () => {
  const session = await open(await writeSums('width'), { width: WIDTH + 1 });
  await expect(session.run(pack([input([1, 2])], 0))).rejects.toThrow(
    `the graph gave float32 [1, ${WIDTH}], not float32 [1, ${WIDTH + 1}]`,
  );
  await session.close();
});
