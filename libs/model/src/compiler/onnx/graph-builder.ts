import onnxProto from 'onnx-proto';
import type { Provider } from '../../provider.js';
import { inlineTensor, type WeightArray, type WeightStore } from './external-weights.js';
import { toFloat16 } from './half-floats.js';

const { onnx } = onnxProto;
type NodeProto = onnxProto.onnx.INodeProto;
type TensorProto = onnxProto.onnx.ITensorProto;
type ValueInfo = onnxProto.onnx.IValueInfoProto;

/** An attribute of ONNX type FLOAT; a plain number is an INT. */
export interface FloatAttribute {
  readonly float: number;
}
export type Attribute = number | readonly number[] | FloatAttribute;

export type ElementType = 'float' | 'float16' | 'int32' | 'int64' | 'bool';

/** A graph's input or output. Dimensions given as strings are variable. */
export interface Value {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly (string | number)[];
}

const ELEMENT_TYPES: Record<ElementType, number> = {
  float: onnx.TensorProto.DataType.FLOAT,
  float16: onnx.TensorProto.DataType.FLOAT16,
  int32: onnx.TensorProto.DataType.INT32,
  int64: onnx.TensorProto.DataType.INT64,
  bool: onnx.TensorProto.DataType.BOOL,
};

/** CUDA's kernels for `Equal` and `ReduceMax` end with opset 18. */
const OPSETS: Readonly<Record<Provider, number>> = { cpu: 20, cuda: 18, webgpu: 20 };
const IR_VERSION = 9;

/** From this opset on, the operator takes its axes as an input; before, as an attribute. */
const AXES_AS_INPUT = { Squeeze: 13, Unsqueeze: 13, ReduceSum: 13, ReduceMax: 18 } as const;

/** The domain of ONNX Runtime's own fused operators. */
const MICROSOFT = 'com.microsoft';

export interface GraphBuilderOptions {
  /** Whether float weights are stored as float16, and computed with in it. */
  readonly half: boolean;
  /** Version of the standard operators, at least 11. Default: that of `OPSETS`. */
  readonly opset?: number;
  /** The provider that the graph is written for. Default: `cpu`. */
  readonly provider?: Provider;
}

/** Collects the inputs, nodes and weights of a graph. The methods that add a value return its name. */
export class GraphBuilder {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly #inputs = new Map<string, Value>();
  readonly #shared = new Map<string, string>();
  readonly #added = new Set<string>();
  readonly #weights: WeightStore;
  readonly #half: boolean;
  readonly #opset: number;
  readonly provider: Provider;

  constructor(weights: WeightStore, { half, provider = 'cpu', opset = OPSETS[provider] }: GraphBuilderOptions) {
    this.provider = provider;
    this.#weights = weights;
    this.#half = half;
    this.#opset = opset;
  }

  /** The element type of hidden states. */
  get floatType(): ElementType {
    return this.#half ? 'float16' : 'float';
  }

  /** The element type of ids, mask and indices: WebGPU's kernels compute nothing in int64. */
  get idType(): 'int32' | 'int64' {
    return this.provider === 'webgpu' ? 'int32' : 'int64';
  }

  /** Names of the inputs that were added. */
  get inputs(): readonly string[] {
    return [...this.#inputs.keys()];
  }

  /** Adds an input of the graph, by default `[rows, tokens]`, unless there is one of that name already. */
  input(
    name: string,
    type: ElementType = this.idType,
    dims: readonly (string | number)[] = ['rows', 'tokens'],
  ): string {
    if (!this.#inputs.has(name)) this.#inputs.set(name, { name, type, dims });
    return name;
  }

  /** Adds a float weight, in the graph's own precision. */
  async weight(name: string, dims: readonly number[], data: Float32Array): Promise<string> {
    return this.constant(name, dims, this.#half ? toFloat16(data) : data);
  }

  /**
   * For layers with the same weights: from here on, a tensor whose name begins with `copy` is the one, added before,
   * whose name begins with `original` instead.
   */
  shareWeights(original: string, copy: string): void {
    this.#shared.set(copy, original);
  }

  /** Adds a tensor without conversion, unless it is shared with another layer. */
  async constant(name: string, dims: readonly number[], data: WeightArray): Promise<string> {
    for (const [copy, original] of this.#shared) {
      if (name.startsWith(copy)) return original + name.slice(copy.length);
    }
    this.initializers.push(await this.#weights.add(name, dims, data));
    return name;
  }

  /** Adds int64 values for shape operators, stored in the graph's own file: some must be known when it is loaded. */
  integers(name: string, values: readonly number[]): string {
    this.initializers.push(inlineTensor(name, [values.length], BigInt64Array.from(values, BigInt)));
    return name;
  }

  /** Adds a scalar, by default in the graph's own precision. */
  scalar(name: string, value: number, type: ElementType = this.floatType): string {
    const data = Float32Array.of(value);
    this.initializers.push(inlineTensor(name, [], type === 'float16' ? toFloat16(data) : data));
    return name;
  }

  /** Adds an int32 scalar, for arithmetic with ids: WebGPU's kernels take no int64. */
  integer32(name: string, value: number): string {
    this.initializers.push(inlineTensor(name, [], Int32Array.of(value)));
    return name;
  }

  /** Adds a uint8 scalar, such as a zero point. */
  byte(name: string, value: number): string {
    this.initializers.push(inlineTensor(name, [], Uint8Array.of(value)));
    return name;
  }

  /** For a value that several layers share: adds it when the first one asks for it. */
  once(name: string, add: (name: string) => string): string {
    if (!this.#added.has(name)) {
      this.#added.add(name);
      add(name);
    }
    return name;
  }

  /** Adds a node; by default its only output has the node's name. @param inputs `''` for an omitted one */
  node(
    type: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    { domain = '', outputs = [name] }: { domain?: string; outputs?: readonly string[] } = {},
  ): string {
    this.nodes.push({
      opType: type,
      name,
      domain,
      input: [...inputs],
      output: [...outputs],
      attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
    });
    return outputs[0]!;
  }

  /** Adds a fused operator of ONNX Runtime. */
  fused(
    type: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    outputs: readonly string[] = [name],
  ): string {
    return this.node(type, name, inputs, attributes, { domain: MICROSOFT, outputs });
  }

  /** Converts an id input to int32, unless it is. */
  toInt32(name: string, input: string): string {
    return this.idType === 'int32' ? input : this.cast(name, input, 'int32');
  }

  cast(name: string, value: string, to: ElementType): string {
    return this.node('Cast', name, [value], { to: ELEMENT_TYPES[to] });
  }

  /** Adds an operator along one axis, in the form that the graph's opset requires. */
  along(
    axis: number,
    type: keyof typeof AXES_AS_INPUT,
    name: string,
    value: string,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    if (this.#opset < AXES_AS_INPUT[type]) return this.node(type, name, [value], { axes: [axis], ...attributes });
    return this.node(type, name, [value, this.integers(`${name}.axis`, [axis])], attributes);
  }

  /** Encodes the finished model as protobuf. */
  finish(outputs: readonly Value[]): Uint8Array {
    return onnx.ModelProto.encode({
      irVersion: IR_VERSION,
      producerName: 'embedmill',
      opsetImport: [
        { domain: '', version: this.#opset },
        { domain: MICROSOFT, version: 1 },
      ],
      graph: {
        name: 'encoder',
        node: this.nodes,
        initializer: this.initializers,
        input: [...this.#inputs.values()].map(valueInfo),
        output: outputs.map(valueInfo),
      },
    }).finish();
  }
}

export function valueInfo({ name, type, dims }: Value): ValueInfo {
  const dim = dims.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size }));
  return { name, type: { tensorType: { elemType: ELEMENT_TYPES[type], shape: { dim } } } };
}

function attribute(name: string, value: Attribute): onnxProto.onnx.IAttributeProto {
  const { AttributeType } = onnx.AttributeProto;
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value };
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.INTS, ints: [...value] };
}
