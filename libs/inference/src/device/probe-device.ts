import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROBE_IDS, probeGraph } from '#model';
import { deviceName, type DeviceChoice } from './device-choice.js';
import type { PackedBatch } from './device.js';
import { OnnxSession } from './onnx-session.js';

/** Of a device's row and the CPU's. Half precision reaches 0.9999 and more. */
const LEAST_COSINE = 0.999;

/**
 * Runs a small encoder on a device, in the same way and with the same kinds of operators as models run: two texts of
 * different lengths, compared with what the CPU computes.
 * @param half whether in half precision
 * @throws Error, one line that says what to do, when the device is not available, leaves a part of the graph to the
 * CPU, or computes something else
 */
export async function probeDevice(device: DeviceChoice, { half = false }: { half?: boolean } = {}): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'embedmill-probe-'));
  try {
    const found = await computeProbe(folder, device, half);
    if (device.kind === 'cpu' && !half) return requireFinite(device, found);
    const expected = await computeProbe(folder, { kind: 'cpu' }, false);
    requireFinite(device, found);
    const like = cosine(found, expected);
    if (like < LEAST_COSINE) {
      throw new Error(
        `device ${deviceName(device)} computes other vectors than the CPU (cosine ${like.toFixed(4)}): its driver cannot be relied on; use EMBED_DEVICE=cpu`,
      );
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns both rows, one after the other */
async function computeProbe(folder: string, device: DeviceChoice, half: boolean): Promise<Float32Array> {
  const onnxPath = join(folder, `${device.kind}-${half}.onnx`);
  const { graph, model } = await probeGraph(device.kind, half);
  await writeFile(onnxPath, model);
  const session = await OnnxSession.create({ onnxPath, graph, device, threads: 1, alone: device.kind !== 'cpu' });
  try {
    return await session.run(probeBatch());
  } catch (error) {
    const reason = (error as Error).message.split('\n', 1)[0]!.slice(0, 300);
    const way = half ? 'try EMBED_DTYPE=fp32, or EMBED_DEVICE=cpu' : 'use EMBED_DEVICE=cpu';
    throw new Error(
      `device ${deviceName(device)} cannot run a model in ${half ? 'fp16' : 'fp32'}: ${way} (${reason})`,
      {
        cause: error,
      },
    );
  } finally {
    await session.close();
  }
}

/** Texts of 48 and 5 tokens. */
function probeBatch(): PackedBatch {
  const tokens = 48;
  const ids = Int32Array.from({ length: 2 * tokens }, (_, i) => (7 * i + 3) % PROBE_IDS);
  return { rows: 2, tokens, ids, types: null, lengths: Int32Array.of(tokens, 5) };
}

function requireFinite(device: DeviceChoice, values: Float32Array): void {
  if (values.every(Number.isFinite)) return;
  throw new Error(`device ${deviceName(device)} computes numbers that are not finite: use EMBED_DEVICE=cpu`);
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, place) => sum + value * y[place]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
