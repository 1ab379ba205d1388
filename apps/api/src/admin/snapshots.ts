import { DeadlineError, type Lane, type LaneView, type ModelCard, type ModelView, type Snapshot } from '#contracts';
import { isRedisAway, type RedisCache, type WorkerRegistry } from '#store';
import type { ModelDirectory } from '../models/model-directory.js';
import {
  activeJobs,
  backlogSeconds,
  type DeploymentState,
  type LaneState,
  type ModelState,
} from '../metrics/deployment-state.js';
import type { HistoryView, Lately } from './history-view.js';
import { viewLostWorker, viewWorker } from './worker-view.js';

/** Where a snapshot is taken from. */
export interface SnapshotSources {
  readonly state: DeploymentState;
  readonly history: HistoryView;
  readonly workers: WorkerRegistry;
  readonly models: ModelDirectory;
  readonly cache: RedisCache;
}

/** Takes snapshots: everything the dashboard shows of the present. */
export class Snapshots {
  readonly #sources: SnapshotSources;

  constructor(sources: SnapshotSources) {
    this.#sources = sources;
  }

  /** While Redis is away nothing is known of models and workers, and old figures must not look like present ones. */
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
    const { history, models, state, workers } = this.#sources;
    const [look, lately, lost, ...known] = await Promise.all([
      state.look(),
      history.lately(),
      workers.lost(),
      ...models.names.map((name) => models.known(name)),
    ]);
    const cards = new Map(known.flatMap((card) => (card === null ? [] : [[card.name, card] as const])));
    return {
      jobs_active: activeJobs(look),
      models: look.models.map((model) => viewModel(model, lately(model.name), cards.get(model.name))),
      workers: [
        ...look.workers.map((worker) => viewWorker(worker, cards)),
        ...lost.map((worker) => viewLostWorker(worker, cards)),
      ],
    };
  }
}

function viewModel(model: ModelState, { minute, rates, waitingTexts }: Lately, card: ModelCard | undefined): ModelView {
  const lane = (name: Lane): LaneView => {
    const state = model.lanes[name];
    // Other API processes have waiting requests too: of those the last tick of history tells.
    const texts =
      name === 'interactive' ? Math.max(state.texts, state.jobTexts + Math.round(waitingTexts)) : state.texts;
    return viewLane(state, texts, model.textsPerSecond);
  };
  const { wait_p50_seconds: p50, wait_p95_seconds: p95, wait_p99_seconds: p99 } = minute;
  return {
    name: model.name,
    fingerprint: card?.fingerprint ?? null,
    ready_workers: model.readyWorkers,
    lanes: { interactive: lane('interactive'), bulk: lane('bulk') },
    texts_per_second: rates.texts_per_second ?? 0,
    tokens_per_second: rates.tokens_per_second ?? 0,
    cache_hit_ratio: minute.cache_hit_ratio,
    wait_seconds: p50 === null || p95 === null || p99 === null ? null : { p50, p95, p99 },
    fill: rates.fill,
    errors_per_minute: minute.errors ?? 0,
  };
}

function viewLane(
  { waiting, active, delayed, failed, oldestAgeMs, paused }: LaneState,
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
