import onnxProto from 'onnx-proto';

const { onnx } = onnxProto;
/** Output of the node of our graphs that sums hidden states `[rows, tokens, hidden]`, which are its second input. */
const POOLING_NODE = 'pooling.sums';

/**
 * Removes the pooling from a compiled graph: the result ends at the hidden states, under the name that exports use.
 * @param bytes an ONNX file, as the result
 * @throws Error when the graph does not pool by mean
 */
export function cutPooling(bytes: Uint8Array): Uint8Array {
  const model = onnx.ModelProto.decode(bytes);
  const graph = model.graph!;
  const hidden = (graph.node ?? []).find(({ output }) => output?.includes(POOLING_NODE))?.input?.[1];
  if (hidden === undefined) throw new Error('the compiled graph does not pool by mean');
  graph.node = (graph.node ?? []).filter(
    ({ output }) => !(output ?? []).some((name) => name.startsWith('pool') || name === 'embedding'),
  );
  graph.initializer = (graph.initializer ?? []).filter(({ name }) => name?.startsWith('pool') !== true);
  graph.node.push({ opType: 'Identity', name: 'last_hidden_state', input: [hidden], output: ['last_hidden_state'] });
  graph.output = [{ name: 'last_hidden_state', type: { tensorType: { elemType: onnx.TensorProto.DataType.FLOAT } } }];
  return onnx.ModelProto.encode(model).finish();
}
