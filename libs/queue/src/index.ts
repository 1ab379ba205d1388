export { cutTasks, type PlacedText, type TaskLimits, type TaskTexts } from './cut-tasks.js';
export { type GivenUpTask, LaneControl } from './lane-control.js';
export { type ConsumerSettings, consumerOptions, taskOptions } from './lane-options.js';
export { type LaneDepth, LaneProducer, type LaneTask, type ShareTags } from './lane-producer.js';
export { queueTelemetry } from './queue-telemetry.js';
