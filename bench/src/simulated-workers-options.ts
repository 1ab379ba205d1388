import type { SimulatedModelOptions } from './simulated-models.js';

/** Options of a process of simulated workers: its only argument, as JSON. */
export interface SimulatedWorkersOptions extends SimulatedModelOptions {
  readonly workers: number;
}

/** Beginning of the line that the process prints when it has `count` workers. */
export function saysWorkers(count: number): string {
  return `embedmill worker ready: ${count} simulated,`;
}
