import { z } from 'zod';
import { laneSchema } from '../task/lane.js';

/** What a worker writes about itself with every heartbeat. */
export const workerRecordSchema = z.object({
  id: z.string(),
  host: z.string(),
  pid: z.int(),
  version: z.string(),
  device: z.string(),
  /** `unfit`: its self-test failed, and it takes no work. */
  state: z.enum(['starting', 'ready', 'draining', 'unfit']),
  /** Why it is unfit, in words; null otherwise. */
  reason: z.string().nullable(),
  /** Served name -> fingerprint. */
  models: z.record(z.string(), z.string()),
  metricsUrl: z.string().nullable(),
  startedAt: z.int(),
  heartbeatAt: z.int(),
  /** Over the last heartbeat interval. */
  tokensPerSecond: z.number(),
  textsPerSecond: z.number(),
  /** Real / padded tokens, 0..1, over the last heartbeat interval; null when nothing ran. */
  fill: z.number().nullable(),
  tasksInFlight: z.record(laneSchema, z.int()),
  memoryBytes: z.int(),
});
export type WorkerRecord = z.infer<typeof workerRecordSchema>;
