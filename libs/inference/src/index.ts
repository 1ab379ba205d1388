export type { TextSignal } from './abort-signals.js';
export * from './device.js';
export * from './device-choice.js';
export * from './engine.js';
export * from './engine-stats.js';
export * from './micro-batcher.js';
export * from './onnx-device.js';
export * from './probe-device.js';
export * from './simulated-device.js';
