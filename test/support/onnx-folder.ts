import { existsSync } from 'node:fs';
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import onnxProto from 'onnx-proto';
import type { Pooling } from '#contracts';
import { loadModel } from '#model';
import { makeBertModel } from './random-model.js';

const { onnx } = onnxProto;
const { AttributeType } = onnx.AttributeProto;
type TypeName = keyof typeof onnx.TensorProto.DataType;
type Dims = readonly (number | string)[];

/** Floats in a hidden state. */
export const HIDDEN = 32;

/** A BERT graph without pooling and without outputs, to which a spec adds what it is about. */
export class FoundGraph {
  readonly model: onnxProto.onnx.ModelProto;
  /** The hidden states, float `[rows, tokens, HIDDEN]`. */
  readonly hidden = 'hidden';

  constructor(model: onnxProto.onnx.ModelProto) {
    this.model = model;
    const nodes = model.graph!.node!;
    const last = nodes.findLast(({ opType }) => opType === 'SkipLayerNormalization')!;
    model.graph!.node = nodes.slice(0, nodes.indexOf(last) + 1);
    last.output = [this.hidden];
    model.graph!.output = [];
  }

  /** @param attributes whole numbers, or lists of them @returns the first output */
  node(
    opType: string,
    input: readonly string[],
    output: string | readonly string[],
    attributes: Readonly<Record<string, number | readonly number[]>> = {},
  ): string {
    const outputs = [output].flat();
    this.model.graph!.node!.push({
      opType,
      name: outputs[0]!,
      input: [...input],
      output: outputs,
      attribute: Object.entries(attributes).map(([name, value]) =>
        typeof value === 'number'
          ? { name, type: AttributeType.INT, i: value }
          : { name, type: AttributeType.INTS, ints: [...value] },
      ),
    });
    return outputs[0]!;
  }

  cast(value: string, output: string, to: TypeName): string {
    return this.node('Cast', [value], output, { to: onnx.TensorProto.DataType[to] as number });
  }

  integers(name: string, values: readonly number[], dims: readonly number[] = [values.length]): string {
    const { INT64 } = onnx.TensorProto.DataType;
    this.model.graph!.initializer!.push({ name, dataType: INT64, dims: [...dims], int64Data: [...values] });
    return name;
  }

  /** The hidden state of each row's first token, `[rows, HIDDEN]`. */
  first(output: string, hidden = this.hidden): string {
    return this.node('Gather', [hidden, this.integers(`${output}.zero`, [0], [])], output, { axis: 1 });
  }

  input(name: string, type: TypeName, dims: Dims | null): string {
    this.model.graph!.input!.push(valueInfo(name, type, dims));
    return name;
  }

  /** Sets the sizes of an input that there is already. */
  shape(name: string, dims: Dims | null): void {
    const { graph } = this.model;
    graph!.input = graph!.input!.map((one) => (one.name === name ? valueInfo(name, 'INT64', dims) : one));
  }

  /** @param dims null: not in the file */
  output(name: string, dims: Dims | null, type: TypeName = 'FLOAT'): void {
    this.model.graph!.output!.push(valueInfo(name, type, dims));
  }

  /** Adds one number to all hidden states. @param value of any type, `[]` or broadcast to `[rows, tokens, HIDDEN]` */
  plus(value: string, output: string): string {
    return this.node('Add', [this.hidden, this.cast(value, `${output}.term`, 'FLOAT')], output);
  }
}

function valueInfo(name: string, type: TypeName, dims: Dims | null): onnxProto.onnx.IValueInfoProto {
  const elemType = onnx.TensorProto.DataType[type] as number;
  const dim = dims?.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType, ...(dim && { shape: { dim } }) } } };
}

export interface OnnxFolder {
  /** Has an ONNX file and no safetensors. */
  readonly at: string;
  /** The same model with safetensors and without ONNX; one for all with the same pooling. */
  readonly original: string;
}

/**
 * Writes a random BERT as an ONNX file with external weights, as it may be found on a hub.
 * @param folder for it, its original and compiled graphs
 */
export async function makeOnnxFolder(
  folder: string,
  name: string,
  { pooling = 'mean' }: { pooling?: Pooling },
  change: (graph: FoundGraph) => void,
): Promise<OnnxFolder> {
  const at = join(folder, name);
  const original = join(folder, `original-${pooling}`);
  await makeBertModel(at, { pooling });
  if (!existsSync(original)) await makeBertModel(original, { pooling });
  const { onnxPath } = await loadModel(
    { name: 'm', source: original },
    { modelDir: join(folder, 'made'), device: 'cpu', hfEndpoint: 'http://127.0.0.1:1' },
  );
  const found = new FoundGraph(onnx.ModelProto.decode(await readFile(onnxPath)));
  change(found);
  await writeFile(join(at, 'model.onnx'), onnx.ModelProto.encode(found.model).finish());
  await copyFile(join(dirname(onnxPath), 'weights.bin'), join(at, 'weights.bin'));
  await rm(join(at, 'model.safetensors'));
  return { at, original };
}
