import type { ModelCard, WorkerRecord, WorkerView } from '#contracts';

/** @param cards announced model cards by model name */
export function viewWorker(worker: WorkerRecord, cards: ReadonlyMap<string, ModelCard>): WorkerView {
  const ageSeconds = Math.max(0, (Date.now() - worker.heartbeatAt) / 1000);
  return {
    id: worker.id,
    host: worker.host,
    pid: worker.pid,
    version: worker.version,
    device: worker.device,
    state: worker.state,
    reason: worker.reason,
    models: Object.entries(worker.models).map(([name, fingerprint]) => {
      const card = cards.get(name);
      return { name, fingerprint, dtype: card?.fingerprint === fingerprint ? card.dtype : null };
    }),
    started_at: worker.startedAt / 1000,
    heartbeat_at: worker.heartbeatAt / 1000,
    heartbeat_age_seconds: ageSeconds,
    tokens_per_second: worker.tokensPerSecond,
    texts_per_second: worker.textsPerSecond,
    fill: worker.fill,
    tasks_in_flight: worker.tasksInFlight.interactive + worker.tasksInFlight.bulk,
    memory_bytes: worker.memoryBytes,
    metrics_url: worker.metricsUrl,
  };
}

/** A worker whose heartbeats stopped without leaving the registry: its last record, with rates of 0. */
export function viewLostWorker(worker: WorkerRecord, cards: ReadonlyMap<string, ModelCard>): WorkerView {
  const view = viewWorker(worker, cards);
  return {
    ...view,
    state: 'lost',
    reason:
      `No heartbeat for ${Math.round(view.heartbeat_age_seconds)} s. What it held runs again elsewhere. ` +
      'Look at its process and log, or dismiss it here.',
    tokens_per_second: 0,
    texts_per_second: 0,
    fill: null,
  };
}
