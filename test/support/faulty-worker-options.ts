import { fileURLToPath } from 'node:url';
import type { QuickWorkerOptions } from './quick.js';
import type { StandIn } from './services.js';

/** What a faulty worker is told in its only argument, as JSON. */
export interface FaultyWorkerOptions extends QuickWorkerOptions {
  /** `wrong`: its device gives other values. `silent`: it gives none. */
  readonly fault: 'wrong' | 'silent';
}

export function faultyWorker(options: FaultyWorkerOptions): StandIn {
  const path = fileURLToPath(new URL('./faulty-worker.js', import.meta.url));
  return { path, args: [JSON.stringify(options)] };
}
