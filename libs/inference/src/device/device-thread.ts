/**
 * Entry point of a device thread. It owns one ONNX session, so that the blocking `session.run` blocks no other code.
 * Batches and results are transferred as buffers; messages are defined in `device-messages.ts`.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { DeviceThreadData, FromDeviceThread, ToDeviceThread } from './device-messages.js';
import type { PackedBatch } from './device.js';
import { OnnxSession } from './onnx-session.js';
import { warmUp } from './warm-up.js';

const port = parentPort!;
const data = workerData as DeviceThreadData;

try {
  const session = await OnnxSession.create(data);
  const speed = await warmUp(session, {
    maxTokens: data.maxTokens,
    tokenBudget: data.warmUpTokens,
    attention: data.attention,
  });
  // One after another: a batch is claimed, and cannot be withdrawn any more, only when its turn has come.
  let last = Promise.resolve();
  port.on('message', (message: ToDeviceThread) => {
    last = last.then(() => handle(session, message));
  });
  send({ kind: 'ready', speed });
} catch (error) {
  send({ kind: 'refused', reason: messageOf(error) });
} finally {
  setBusy(0);
}

async function handle(session: OnnxSession, message: ToDeviceThread): Promise<void> {
  switch (message.kind) {
    case 'run':
      return run(session, message.id, message.batch);
    case 'end':
      await session.close();
      port.close();
  }
}

async function run(session: OnnxSession, id: number, batch: PackedBatch): Promise<void> {
  if (Atomics.compareExchange(data.claims, id % data.claims.length, id, -id) !== id) return;
  setBusy(1);
  const began = performance.now();
  try {
    const values = await session.run(batch);
    send({ kind: 'done', id, values, deviceMs: performance.now() - began }, [values.buffer]);
  } catch (error) {
    send({ kind: 'failed', id, reason: messageOf(error) });
  } finally {
    setBusy(0);
  }
}

function setBusy(busy: 0 | 1): void {
  Atomics.store(data.busy, 0, busy);
  Atomics.notify(data.busy, 0);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function send(message: FromDeviceThread, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}
