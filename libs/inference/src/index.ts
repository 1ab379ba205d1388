export * from './batching/micro-batcher.js';
export * from './device/device-choice.js';
export * from './device/device.js';
export * from './device/onnx-device.js';
export * from './device/probe-device.js';
export type { InputSignal } from './engine/abort-signals.js';
export * from './engine/engine-stats.js';
export * from './engine/engine.js';
export * from './engine/start-engine.js';
