import onnxProto from 'onnx-proto';
import type { Provider } from '../../provider.js';
import { opsetOf, type OnnxModel } from '../onnx/found-graph.js';
import { CHANGED_IN, KERNELS } from './kernel-lists.fixture.js';

const { DataType } = onnxProto.onnx.TensorProto;
type Node = onnxProto.onnx.INodeProto;

interface Kernel {
  readonly first: number;
  readonly last: number;
  /** Letters of the element types of each input; the last one is also for all further inputs. */
  readonly inputs: readonly string[];
}

const LETTERS = new Map<number, string>([
  [DataType.FLOAT, 'f'],
  [DataType.FLOAT16, 'h'],
  [DataType.INT32, 'i'],
  [DataType.INT64, 'l'],
  [DataType.BOOL, 'b'],
  [DataType.UINT8, 'u'],
  [DataType.INT8, 's'],
]);

function kernelsOf(provider: Provider): Map<string, Kernel[]> {
  const kernels = new Map<string, Kernel[]>();
  for (const line of KERNELS[provider].trim().split('\n')) {
    const [operator = '', versions = '', ...inputs] = line.trim().split(' ');
    const [first = 0, last = first] = versions.split('-').map(Number);
    kernels.set(operator, [...(kernels.get(operator) ?? []), { first, last, inputs }]);
  }
  return kernels;
}

/**
 * The nodes of a graph that a provider has no kernel for, so that ONNX Runtime would compute them on the CPU:
 * `Operator-version(types) name`. On the CPU, float16 counts as float: ONNX Runtime converts around such a node.
 */
export function missingKernels(model: OnnxModel, provider: Provider): string[] {
  const kernels = kernelsOf(provider);
  const types = typesIn(model);
  const opset = opsetOf(model);
  return (model.graph?.node ?? []).flatMap((node) => {
    const { opType, domain, input, name } = node;
    const operator = `${domain ? 'ms.' : ''}${opType}`;
    const version = domain ? 1 : (CHANGED_IN[opType ?? '']?.findLast((changed) => changed <= opset) ?? 0);
    const inputs = (input ?? []).map((value) => types.get(value) ?? '');
    const fits = (kernel: Kernel) =>
      kernel.first <= version &&
      version <= kernel.last &&
      inputs.every((type, at) => {
        const accepted = kernel.inputs[at] ?? kernel.inputs.at(-1)!;
        return accepted.includes(type) || (provider === 'cpu' && type === 'h' && accepted.includes('f'));
      });
    if (kernels.get(operator)?.some(fits)) return [];
    return [`${operator}-${version}(${inputs.join()}) ${name}`];
  });
}

/** The letter of every value's element type; `''` for an input that is left out. */
function typesIn({ graph }: OnnxModel): Map<string, string> {
  const types = new Map([['', '']]);
  for (const { name, dataType } of graph?.initializer ?? []) types.set(name ?? '', letter(dataType));
  for (const { name, type } of graph?.input ?? []) types.set(name ?? '', letter(type?.tensorType?.elemType));
  for (const node of graph?.node ?? []) {
    const outputs = outputTypes(node, (at) => types.get(node.input?.[at] ?? '') ?? '');
    for (const [at, name] of (node.output ?? []).entries()) {
      if (name !== '') types.set(name, outputs[at] ?? outputs.at(-1)!);
    }
  }
  return types;
}

/** Types of a node's outputs, the last one also for all further ones. Most operators keep that of their first input. */
function outputTypes({ opType, attribute }: Node, input: (at: number) => string): readonly string[] {
  switch (opType) {
    case 'Cast':
      return [letter(Number(attribute?.find(({ name }) => name === 'to')?.i))];
    case 'Shape':
      return ['l'];
    case 'Equal':
    case 'Greater':
      return ['b'];
    case 'Where':
    case 'DequantizeLinear':
      return [input(1)];
    case 'QuantizeLinear':
      return [input(2)];
    case 'DynamicQuantizeLinear':
      return ['u', 'f', 'u'];
    case 'EmbedLayerNormalization':
      return [input(2), 'i'];
    case 'QAttention':
    case 'MatMulIntegerToFloat':
      return ['f'];
    default:
      return [input(0)];
  }
}

function letter(type: number | null | undefined): string {
  const found = LETTERS.get(Number(type));
  if (found === undefined) throw new Error(`element type ${type} has no letter here`);
  return found;
}
