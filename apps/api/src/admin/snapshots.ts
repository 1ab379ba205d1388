import { DeadlineError } from '#contracts';
import type { Lane, LaneView, ModelView, Snapshot } from '#contracts';
import { isRedisAway, type RedisCache, type WorkerRegistry } from '#store';
import { activeJobs, backlogSeconds, type Fleet, type LaneStatus, type ModelStatus } from '../operation/fleet.js';
import { presentRate, verdictOf } from '../operation/verdict.js';
import type { HistoryView, Lately } from './history-view.js';
import { viewLostWorker, viewWorker } from './worker-view.js';

/** Sources of a snapshot. */
export interface SnapshotSources {
  readonly fleet: Fleet;
  readonly history: HistoryView;
  readonly workers: WorkerRegistry;
  readonly cache: RedisCache;
}

/** Takes snapshots: the current state that the dashboard shows. */
export class Snapshots {
  readonly #sources: SnapshotSources;

  constructor(sources: SnapshotSources) {
    this.#sources = sources;
  }

  /** While Redis is unavailable, models and workers are empty, so that old figures do not look current. */
  async take(): Promise<Snapshot> {
    const cache = this.#sources.cache.up ? 'up' : 'down';
    try {
      return { at: Date.now() / 1000, redis: 'up', cache, ...(await this.#gather()) };
    } catch (error) {
      if (!(error instanceof DeadlineError) && !isRedisAway(error)) throw error;
      return { at: Date.now() / 1000, redis: 'down', cache, jobs_active: 0, models: [], workers: [] };
    }
  }

  async #gather(): Promise<Pick<Snapshot, 'jobs_active' | 'models' | 'workers'>> {
    const { fleet, history, workers } = this.#sources;
    const [status, lately, lost] = await Promise.all([fleet.read(), history.lately(), workers.lost()]);
    const cards = new Map(status.models.flatMap(({ card }) => (card === null ? [] : [[card.name, card] as const])));
    return {
      jobs_active: activeJobs(status),
      models: status.models.map((model) => viewModel(model, lately(model.name))),
      workers: [
        ...status.workers.map((worker) => viewWorker(worker, cards)),
        ...lost.map((worker) => viewLostWorker(worker, cards)),
      ],
    };
  }
}

function viewModel(model: ModelStatus, lately: Lately): ModelView {
  const { minute, rates, waitingTexts, load } = lately;
  const { readyWorkers, textsPerSecond: reportedPerSecond } = model;
  const rate = presentRate({ readyWorkers, reportedPerSecond }, load) ?? 0;
  const lane = (name: Lane): LaneView => {
    const state = model.lanes[name];
    // Waiting requests of other API processes are known only from the last tick of history.
    const texts =
      name === 'interactive' ? Math.max(state.texts, state.jobTexts + Math.round(waitingTexts)) : state.texts;
    return viewLane(state, texts, rate);
  };
  const lanes = { interactive: lane('interactive'), bulk: lane('bulk') };
  const present = {
    readyWorkers,
    lanes,
    jobs: model.lanes.interactive.jobs + model.lanes.bulk.jobs,
    jobTexts: model.lanes.interactive.jobTexts + model.lanes.bulk.jobTexts,
    finishedPerSecond: rates.texts_per_second ?? 0,
    reportedPerSecond,
  };
  const { wait_p50_seconds: p50, wait_p95_seconds: p95, wait_p99_seconds: p99 } = minute;
  return {
    name: model.name,
    fingerprint: model.card?.fingerprint ?? null,
    ready_workers: readyWorkers,
    verdict: verdictOf(present, load),
    lanes,
    texts_per_second: rates.texts_per_second ?? 0,
    tokens_per_second: rates.tokens_per_second ?? 0,
    cache_hit_ratio: minute.cache_hit_ratio,
    wait_seconds: p50 === null || p95 === null || p99 === null ? null : { p50, p95, p99 },
    fill: rates.fill,
    errors_per_minute: minute.errors ?? 0,
  };
}

function viewLane(
  { waiting, active, delayed, failed, oldestAgeMs, paused }: LaneStatus,
  texts: number,
  rate: number,
): LaneView {
  return {
    waiting,
    active,
    delayed,
    failed,
    texts,
    backlog_seconds: backlogSeconds(texts, rate),
    oldest_age_seconds: oldestAgeMs === null ? null : oldestAgeMs / 1000,
    paused,
  };
}
