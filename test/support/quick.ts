import { fileURLToPath } from 'node:url';
import type { ServicesOptions as ApiOptions } from '../../apps/api/src/services.js';
import type { ServicesOptions as WorkerOptions } from '../../apps/worker/src/services.js';
import type { StandIn } from './services.js';

/** What of a worker is no setting, and can be told in an argument. */
export type QuickWorkerOptions = Pick<WorkerOptions, 'heartbeatMs' | 'redisPatienceMs' | 'selfTestPatienceMs'>;
/** The same of an API. */
export type QuickApiOptions = Pick<ApiOptions, 'mostOpenRequests' | 'redisPatienceMs'>;

const HEARTBEAT_MS = 500;

/** The worker itself, only quicker in what the product has no settings for. */
export function quickWorker(options: QuickWorkerOptions = {}): StandIn {
  return standIn('quick-worker', { heartbeatMs: HEARTBEAT_MS, ...options });
}

/** The API itself, with less patience or smaller limits than the product has. */
export function quickApi(options: QuickApiOptions): StandIn {
  return standIn('quick-api', options);
}

function standIn(entry: string, options: object): StandIn {
  return { path: fileURLToPath(new URL(`./${entry}.js`, import.meta.url)), args: [JSON.stringify(options)] };
}
