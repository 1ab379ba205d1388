import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import type { GraphInterface } from '#model';

const { onnx } = onnxProto;

export const BAG_DIMENSIONS = 8;
export const BAG_VOCABULARY = 1000;

const weight = (id: number, dimension: number): number => Math.sin(id * 7 + dimension * 3);

/** `[BAG_DIMENSIONS]`: what the graph computes for one row of ids. */
export function bagVector(ids: Int32Array): Float32Array {
  return new Float32Array(BAG_DIMENSIONS).map((_, dimension) =>
    ids.reduce((sum, id) => sum + weight(id, dimension), 0),
  );
}

/** Writes the smallest graph that has a model's interface: the sum of a row's token vectors. Ids beyond the vocabulary fail. */
export async function writeBagOfTokens(folder: string): Promise<{ onnxPath: string; graph: GraphInterface }> {
  const { FLOAT, INT64 } = onnx.TensorProto.DataType;
  const tensor = (name: string, elemType: number, dims: string[]) => ({
    name,
    type: { tensorType: { elemType, shape: { dim: dims.map((dimParam) => ({ dimParam })) } } },
  });
  const node = (opType: string, input: string[], output: string, to?: number) => ({
    opType,
    input,
    output: [output],
    attribute: to === undefined ? [] : [{ name: 'to', type: onnx.AttributeProto.AttributeType.INT, i: to }],
  });
  const table = Array.from({ length: BAG_VOCABULARY * BAG_DIMENSIONS }, (_, index) =>
    weight(Math.floor(index / BAG_DIMENSIONS), index % BAG_DIMENSIONS),
  );
  const model = onnx.ModelProto.create({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'bag-of-tokens',
      input: [tensor('input_ids', INT64, ['rows', 'tokens']), tensor('attention_mask', INT64, ['rows', 'tokens'])],
      output: [tensor('embedding', FLOAT, ['rows', 'dimensions'])],
      initializer: [
        { name: 'table', dataType: FLOAT, dims: [BAG_VOCABULARY, BAG_DIMENSIONS], floatData: table },
        { name: 'middle', dataType: INT64, dims: [1], int64Data: [1] },
      ],
      node: [
        node('Cast', ['attention_mask'], 'mask', FLOAT),
        node('Unsqueeze', ['mask', 'middle'], 'weights'),
        node('Gather', ['table', 'input_ids'], 'tokens'),
        node('MatMul', ['weights', 'tokens'], 'sum'),
        node('Squeeze', ['sum', 'middle'], 'embedding'),
      ],
    },
  });
  const onnxPath = join(folder, 'bag-of-tokens.onnx');
  await writeFile(onnxPath, onnx.ModelProto.encode(model).finish());
  const graph = { inputs: ['input_ids', 'attention_mask'], output: 'embedding', width: BAG_DIMENSIONS };
  return { onnxPath, graph };
}
