import { execFile } from 'node:child_process';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BootError } from '#contracts';
import { bagValues, writeBagOfTokens } from './bag-of-tokens.fixture.js';
import { DeviceUnavailableError } from './device.js';
import { parseDevice } from './device-choice.js';
import { OnnxDevice, type DeviceRestart } from './onnx-device.js';
import { pack } from '../batching/pack.js';
import type { Report } from './thread-death.fixture.js';

const one = (...ids: number[]) => pack([{ ids: Int32Array.from(ids), types: null }], 0);
const settings = { device: { kind: 'cpu' }, threads: 1, tokenBudget: 256, maxTokens: 64 } as const;

describe('an ONNX device', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'embedmill-onnx-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('measures its speed at start', async () => {
    const device = await OnnxDevice.start({ ...settings, model: await writeBagOfTokens(folder) });
    expect(device.speed.tokensPerSecond).toBeGreaterThan(0);
    expect(device.speed.overheadTokens).toBeGreaterThanOrEqual(0);
    expect(device.description).toBe('cpu, 1 thread');
    await device.close();
  });

  it.each(['cuda:97', 'webgpu'])('refuses to start on %s where there is none, in one line', async (name) => {
    const model = await writeBagOfTokens(folder);
    const started = await OnnxDevice.start({ ...settings, device: parseDevice(name), model }).catch(
      (error: unknown) => error,
    );
    if (name === 'webgpu' && started instanceof OnnxDevice) return started.close();
    expect(started).toBeInstanceOf(BootError);
    const { message } = started as BootError;
    expect(message).toMatch(new RegExp(`^device ${name} cannot be had: .*EMBED_DEVICE=cpu`));
    expect(message).not.toContain('\n');
  });

  it('refuses a file that is no graph, and a graph without the output named', async () => {
    const { onnxPath, graph } = await writeBagOfTokens(folder);
    const without = { onnxPath, graph: { ...graph, output: 'pooled' } };
    await expect(OnnxDevice.start({ ...settings, model: without })).rejects.toThrow('no output "pooled"');
    await writeFile(onnxPath, 'no graph');
    await expect(OnnxDevice.start({ ...settings, model: { onnxPath, graph } })).rejects.toThrow(BootError);
  });

  it('starts a new thread on request and loses no batch over it', async () => {
    const device = await OnnxDevice.start({ ...settings, model: await writeBagOfTokens(folder) });
    const runs = Array.from({ length: 30 }, (_, index) => {
      if (index === 10) device.restart();
      return device.run(one(index));
    });
    for (const [index, { values }] of (await Promise.all(runs)).entries()) {
      expect(values[3]).toBeCloseTo(bagValues(Int32Array.of(index))[3]!, 4);
    }
    expect(device.restarts).toBe(1);
    await device.close();
  });

  it('computes on after its thread died of an uncaught error', async () => {
    const program = fileURLToPath(new URL('./thread-death.fixture.js', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [program, folder]);
    const report = JSON.parse(stdout) as Report;
    expect(report).toMatchObject({ texts: 600, right: 600, restarts: 3 });
    expect(report.reasons).toHaveLength(3);
  });

  it('lets its process exit in the middle of a batch', async () => {
    const program = fileURLToPath(new URL('./exit-mid-batch.fixture.js', import.meta.url));
    const exited = promisify(execFile)(process.execPath, [program, folder]);
    await expect(exited).rejects.toMatchObject({ code: 3, signal: null });
  });

  it('refuses batches while its thread cannot be started again, and serves when it can', async () => {
    const model = await writeBagOfTokens(folder);
    const restarts: DeviceRestart[] = [];
    const device = await OnnxDevice.start({ ...settings, model, onRestart: (restart) => restarts.push(restart) });
    await rename(model.onnxPath, `${model.onnxPath}.gone`);
    device.restart();
    await expect(device.run(one(1))).rejects.toThrow(DeviceUnavailableError);
    expect(restarts.map(({ delayMs }) => delayMs)).toEqual([100, 200, 400]);
    await rename(`${model.onnxPath}.gone`, model.onnxPath);
    const served = async (): Promise<Float32Array> => {
      for (;;) {
        try {
          return (await device.run(one(5))).values;
        } catch (error) {
          if (!(error instanceof DeviceUnavailableError)) throw error;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    };
    expect((await served())[0]).toBeCloseTo(bagValues(Int32Array.of(5))[0]!, 4);
    await device.close();
  });
});
