import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import type { DeviceChoice } from './device-choice.js';
import { OnnxSession } from './onnx-session.js';

const { onnx } = onnxProto;
const { FLOAT, INT64 } = onnx.TensorProto.DataType;

/**
 * Computes one number on a device, in the same way as models run.
 * @throws Error, one line that says what to do, when the device is not available
 */
export async function probeDevice(device: DeviceChoice): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'embedmill-probe-'));
  try {
    const onnxPath = join(folder, 'probe.onnx');
    await writeFile(onnxPath, probeGraph());
    const graph = { inputs: ['input_ids'], output: 'number', width: 1 };
    const session = await OnnxSession.create({ onnxPath, graph, device, threads: 1 });
    try {
      const [number] = await session.run({
        rows: 1,
        tokens: 1,
        ids: Int32Array.of(7),
        types: null,
        lengths: Int32Array.of(1),
      });
      if (number !== 7) throw new Error(`the device computes ${number} where it should be 7`);
    } finally {
      await session.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** ONNX graph that casts `[1, 1]` from int64 to float32. */
function probeGraph(): Uint8Array {
  const value = (name: string, elemType: number) => ({
    name,
    type: { tensorType: { elemType, shape: { dim: [{ dimValue: 1 }, { dimValue: 1 }] } } },
  });
  return onnx.ModelProto.encode({
    irVersion: 9,
    producerName: 'embedmill',
    opsetImport: [{ domain: '', version: 20 }],
    graph: {
      name: 'probe',
      node: [
        {
          opType: 'Cast',
          name: 'number',
          input: ['input_ids'],
          output: ['number'],
          attribute: [{ name: 'to', type: onnx.AttributeProto.AttributeType.INT, i: FLOAT }],
        },
      ],
      input: [value('input_ids', INT64)],
      output: [value('number', FLOAT)],
    },
  }).finish();
}
