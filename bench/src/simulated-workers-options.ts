import type { SimulatedModelOptions } from './simulated-models.js';

/** What a process of simulated workers is told in its only argument, as JSON. */
export interface SimulatedWorkersOptions extends SimulatedModelOptions {
  readonly workers: number;
}

/** What it says when it has so many. */
export function saysWorkers(count: number): string {
  return `embedmill worker ready: ${count} simulated,`;
}
