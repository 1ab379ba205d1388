import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { BootError } from '#contracts';
import { extraTensor } from '../../extra-tensor.js';
import type { FoundValue } from './found-graph.js';
import type { GraphInputs } from './graph-inputs.js';

/** Sizes of the batch, where the graph takes any: such as no vector has. */
const ROWS = 2;
const TOKENS = 7;

/**
 * Runs a graph once, on the CPU, to see the types and sizes of its outputs. Those that do not have a row of the batch in
 * each row of theirs, such as scores of tokens, are left out.
 * @throws BootError, one line, when it does not run
 */
export async function tryGraph(
  path: string,
  inputs: GraphInputs,
  { firstPosition, source }: { firstPosition: number; source: string },
): Promise<FoundValue[]> {
  // Loaded only here: most processes that read models never run one.
  const { InferenceSession: Session, Tensor: TensorOf } = await import('onnxruntime-node');
  const rows = inputs.rows ?? ROWS;
  const tokens = inputs.tokens ?? TOKENS;
  let session: InferenceSession | undefined;
  try {
    session = await Session.create(path, { graphOptimizationLevel: 'disabled', logSeverityLevel: 4 });
    const feeds: Record<string, Tensor> = {};
    for (const name of inputs.inputs) {
      const values = Array.from({ length: rows * tokens }, (_, at) => tokenValue(name, firstPosition + (at % tokens)));
      const metadata = session.inputMetadata.find((one) => one.name === name);
      feeds[name] =
        metadata?.isTensor === true && metadata.type === 'int32'
          ? new TensorOf('int32', Int32Array.from(values), [rows, tokens])
          : new TensorOf('int64', BigInt64Array.from(values, BigInt), [rows, tokens]);
    }
    for (const extra of inputs.extraInputs) {
      const { data, dims, type } = extraTensor(extra, rows, tokens);
      feeds[extra.name] = new TensorOf(type as 'float32', data as Float32Array, dims);
    }
    const results = Object.entries(await session.run(feeds));
    return results.flatMap(([name, { dims, type }]) => {
      const perToken = dims.length === 2 && inputs.tokens === null && dims[1] === tokens;
      return dims[0] !== rows || perToken ? [] : [{ name, type: TYPES[type] ?? type, dims }];
    });
  } catch (error) {
    const [reason] = (error as Error).message.split('\n', 1);
    throw new BootError(`${source}: its ONNX graph does not run: ${reason}`, { cause: error });
  } finally {
    await session?.release();
  }
}

function tokenValue(input: string, position: number): number {
  if (input === 'position_ids') return position;
  return input === 'attention_mask' ? 1 : 0;
}

/** ONNX's names of the floating-point types, by ONNX Runtime's. */
const TYPES: Readonly<Record<string, string>> = { float32: 'FLOAT', float16: 'FLOAT16', float64: 'DOUBLE' };
