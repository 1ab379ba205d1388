export { cutTasks } from './cut-tasks.js';
export { FairQueueing } from './fair-queueing.js';
export { type DeadLetteredTask, LaneControl } from './lane-control.js';
export { type ConsumerSettings, consumerOptions } from './lane-options.js';
export { type LaneDepth, LaneProducer, type LaneTask } from './lane-producer.js';
export { queueTelemetry } from './queue-telemetry.js';
