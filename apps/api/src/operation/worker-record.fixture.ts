import type { WorkerRecord } from '#contracts';

/** A worker as it describes itself with a heartbeat: ready, and idle unless `changes` say otherwise. */
export function workerRecord(changes: Partial<WorkerRecord>): WorkerRecord {
  const now = Date.now();
  return {
    id: 'w',
    host: 'h',
    pid: 1,
    version: '0',
    device: 'cpu',
    state: 'ready',
    reason: null,
    models: { m: 'f'.repeat(64) },
    metricsUrl: null,
    startedAt: now,
    heartbeatAt: now,
    tokensPerSecond: 0,
    textsPerSecond: 0,
    fill: null,
    tasksInFlight: { interactive: 0, bulk: 0 },
    memoryBytes: 0,
    ...changes,
  };
}
