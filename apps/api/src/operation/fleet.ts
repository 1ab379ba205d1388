import { type Lane, LANES, type ModelCard, within, type WorkerRecord } from '#contracts';
import type { LaneControl, LaneDepth, LaneProducer } from '#queue';
import type { JobList, WorkerRegistry } from '#store';
import type { InteractiveAdmission } from '../interactive/admission.js';
import type { ModelDirectory } from '../planning/model-directory.js';

/** Longest wait of a read for Redis, ms. */
const PATIENCE_MS = 3000;

/** Status of one lane of a model. */
export interface LaneStatus extends LaneDepth {
  /** Unfinished jobs. */
  readonly jobs: number;
  /** Unfinished texts of jobs. */
  readonly jobTexts: number;
  /** `jobTexts` plus the texts of this process's waiting requests. */
  readonly texts: number;
}

/** Workers of one model. */
export interface ModelWorkers {
  readonly name: string;
  /** null: no worker has announced the model yet. */
  readonly card: ModelCard | null;
  /** Workers that take its tasks now: state `ready` and the card's fingerprint. */
  readonly ready: readonly WorkerRecord[];
  /** Workers that serve its name, in any state and version. */
  readonly all: readonly WorkerRecord[];
}

/** Status of one model; rates are sums over its ready workers, from their last heartbeats. */
export interface ModelStatus {
  readonly name: string;
  readonly card: ModelCard | null;
  readonly lanes: Readonly<Record<Lane, LaneStatus>>;
  readonly readyWorkers: number;
  readonly textsPerSecond: number;
  readonly tokensPerSecond: number;
  /** Real / padded tokens, 0..1, mean of the busy workers; null when none is busy. */
  readonly fill: number | null;
  /** Unfinished texts / texts per second; null when there is work and no known rate. */
  readonly backlogSeconds: number | null;
}

/** Status of the whole deployment at one moment. */
export interface FleetStatus {
  readonly models: readonly ModelStatus[];
  /** Live workers. */
  readonly workers: readonly WorkerRecord[];
}

/** Sources of the status. */
export interface FleetSources {
  readonly models: ModelDirectory;
  readonly lanes: LaneProducer;
  readonly control: LaneControl;
  readonly jobs: JobList;
  readonly workers: WorkerRegistry;
  readonly admission: InteractiveAdmission;
}

/** Reads workers, queues and jobs, for metrics, readiness, models, admission, history and dashboard. */
export class Fleet {
  readonly #sources: FleetSources;
  readonly #greatestRates = new Map<string, number>();
  #underWay: Promise<FleetStatus> | null = null;

  constructor(sources: FleetSources) {
    this.#sources = sources;
  }

  /** Concurrent callers share one read. Rejects with `DeadlineError`, or with the Redis client's error. */
  read(): Promise<FleetStatus> {
    this.#underWay ??= within(PATIENCE_MS, this.#gather()).finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  /** Workers of each served model. Rejects like `read`. */
  async workers(): Promise<ModelWorkers[]> {
    return this.#byModel(await this.#sources.workers.list());
  }

  /** Number of workers that take a model's tasks now. */
  async readyWorkers(model: string): Promise<number> {
    return (await this.workers()).find(({ name }) => name === model)?.ready.length ?? 0;
  }

  /** Sum over all ready workers of a model, from their last heartbeats. */
  async textsPerSecond(model: string): Promise<number> {
    const found = (await this.workers()).find(({ name }) => name === model);
    return total(found?.ready.map((worker) => worker.textsPerSecond) ?? []);
  }

  /** Lanes that an operator has paused, as `model/lane`. */
  async pausedLanes(): Promise<string[]> {
    const { control, models } = this.#sources;
    const lanes = models.names.flatMap((model) => LANES.map((lane) => ({ model, lane })));
    const paused = await Promise.all(lanes.map(({ lane, model }) => control.isPaused(model, lane)));
    return lanes.filter((_, n) => paused[n]).map(({ lane, model }) => `${model}/${lane}`);
  }

  async #gather(): Promise<FleetStatus> {
    const { jobs, workers } = this.#sources;
    const [active, alive] = await Promise.all([jobs.activeTexts(), workers.list()]);
    const status = async ({ card, name, ready }: ModelWorkers): Promise<ModelStatus> => {
      const lane = (one: Lane) => this.#lane(name, one, active);
      const [interactive, bulk] = await Promise.all([lane('interactive'), lane('bulk')]);
      const textsPerSecond = total(ready.map((worker) => worker.textsPerSecond));
      const fills = ready.flatMap(({ fill }) => (fill === null ? [] : [fill]));
      return {
        name,
        card,
        lanes: { interactive, bulk },
        readyWorkers: ready.length,
        textsPerSecond,
        tokensPerSecond: total(ready.map((worker) => worker.tokensPerSecond)),
        fill: fills.length === 0 ? null : total(fills) / fills.length,
        backlogSeconds: backlogSeconds(interactive.texts + bulk.texts, this.#rateOf(name, textsPerSecond)),
      };
    };
    return { models: await Promise.all((await this.#byModel(alive)).map(status)), workers: alive };
  }

  async #byModel(alive: readonly WorkerRecord[]): Promise<ModelWorkers[]> {
    const { models } = this.#sources;
    return Promise.all(
      models.names.map(async (name) => {
        const card = await models.known(name);
        const all = alive.filter((worker) => worker.models[name] !== undefined);
        const ready = all.filter((worker) => worker.state === 'ready' && worker.models[name] === card?.fingerprint);
        return { name, card, all, ready };
      }),
    );
  }

  async #lane(model: string, lane: Lane, active: Awaited<ReturnType<JobList['activeTexts']>>): Promise<LaneStatus> {
    const { admission, lanes } = this.#sources;
    const sum = active.find((one) => one.model === model && one.lane === lane);
    const jobTexts = sum?.texts ?? 0;
    const texts = jobTexts + (lane === 'interactive' ? admission.of(model) : 0);
    return { ...(await lanes.depth(model, lane)), jobs: sum?.jobs ?? 0, jobTexts, texts };
  }

  /** The current rate; while nothing is computed, the greatest rate that this process has seen. */
  #rateOf(model: string, textsPerSecond: number): number {
    const greatest = this.#greatestRates.get(model) ?? 0;
    if (textsPerSecond > greatest) this.#greatestRates.set(model, textsPerSecond);
    return textsPerSecond > 0 ? textsPerSecond : greatest;
  }
}

/** Unfinished texts / texts per second; null when there is work and no known rate. */
export function backlogSeconds(texts: number, textsPerSecond: number): number | null {
  if (texts === 0) return 0;
  return textsPerSecond > 0 ? texts / textsPerSecond : null;
}

/** Tasks waiting, delayed and active. */
export function tasksOf({ waiting, delayed, active }: LaneDepth): number {
  return waiting + delayed + active;
}

/** Unfinished jobs of all models. */
export function activeJobs({ models }: FleetStatus): number {
  return total(models.flatMap(({ lanes }) => LANES.map((lane) => lanes[lane].jobs)));
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
