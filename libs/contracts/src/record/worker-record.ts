import { z } from 'zod';
import { laneSchema } from '../task/lane.js';

/** A worker's own record, which it writes with every heartbeat. Times are epoch ms. */
export const workerRecordSchema = z.object({
  id: z.string(),
  host: z.string(),
  pid: z.int(),
  version: z.string(),
  device: z.string(),
  /** `unfit`: the self-test failed, so the worker takes no tasks. */
  state: z.enum(['starting', 'ready', 'draining', 'unfit']),
  /** Why the worker is unfit, as text; null otherwise. */
  reason: z.string().nullable(),
  /** Served name -> fingerprint. */
  models: z.record(z.string(), z.string()),
  metricsUrl: z.string().nullable(),
  startedAt: z.int(),
  heartbeatAt: z.int(),
  /** Over the last heartbeat interval. */
  tokensPerSecond: z.number(),
  textsPerSecond: z.number(),
  /** Real tokens / padded tokens, 0..1, over the last heartbeat interval; null when nothing ran. */
  fill: z.number().nullable(),
  tasksInFlight: z.record(laneSchema, z.int()),
  memoryBytes: z.int(),
});
export type WorkerRecord = z.infer<typeof workerRecordSchema>;
