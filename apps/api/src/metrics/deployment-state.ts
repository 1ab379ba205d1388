import { type Lane, LANES, within, type WorkerRecord } from '#contracts';
import type { LaneDepth, LaneProducer } from '#queue';
import type { JobStore, WorkerRegistry } from '#store';
import type { WaitingTexts } from '../embeddings/waiting-texts.js';

/** Longest a look waits for Redis, ms. */
const PATIENCE_MS = 3000;

/** How one lane of a model stands. */
export interface LaneState extends LaneDepth {
  /** Unfinished jobs. */
  readonly jobs: number;
  /** Unfinished texts of jobs. */
  readonly jobTexts: number;
  /** The same, and those of this process's waiting requests. */
  readonly texts: number;
}

/** How one model stands; rates are those of its ready workers, as they last told. */
export interface ModelState {
  readonly name: string;
  readonly lanes: Readonly<Record<Lane, LaneState>>;
  readonly readyWorkers: number;
  readonly textsPerSecond: number;
  readonly tokensPerSecond: number;
  /** Real / padded tokens, 0..1, mean of the busy workers; null when none is. */
  readonly fill: number | null;
  /** Unfinished texts / texts a second; null when there is work and no rate to tell. */
  readonly backlogSeconds: number | null;
}

/** How everything stands at one moment. */
export interface Look {
  readonly models: readonly ModelState[];
  /** Those alive. */
  readonly workers: readonly WorkerRecord[];
}

/** Where the state is read from. */
export interface StateSources {
  readonly models: readonly string[];
  readonly lanes: LaneProducer;
  readonly jobs: JobStore;
  readonly workers: WorkerRegistry;
  readonly waiting: WaitingTexts;
}

/** The one place where queues, jobs and workers are looked at: for Prometheus, history and dashboard alike. */
export class DeploymentState {
  readonly #sources: StateSources;
  readonly #greatestRates = new Map<string, number>();
  #underWay: Promise<Look> | null = null;

  constructor(sources: StateSources) {
    this.#sources = sources;
  }

  /** Those who ask at the same time share one look. Rejects with `DeadlineError`, or as Redis does when it is away. */
  look(): Promise<Look> {
    this.#underWay ??= within(PATIENCE_MS, this.#gather()).finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  /** The rate now; while nothing is computed, as with no worker at all, the greatest that this process has seen. */
  #rateOf(model: string, textsPerSecond: number): number {
    const greatest = this.#greatestRates.get(model) ?? 0;
    if (textsPerSecond > greatest) this.#greatestRates.set(model, textsPerSecond);
    return textsPerSecond > 0 ? textsPerSecond : greatest;
  }

  async #gather(): Promise<Look> {
    const { models, lanes, jobs, workers, waiting } = this.#sources;
    const [active, alive] = await Promise.all([jobs.activeTexts(), workers.list()]);
    const laneState = async (model: string, lane: Lane): Promise<LaneState> => {
      const sum = active.find((one) => one.model === model && one.lane === lane);
      const jobTexts = sum?.texts ?? 0;
      const texts = jobTexts + (lane === 'interactive' ? waiting.of(model) : 0);
      return { ...(await lanes.depth(model, lane)), jobs: sum?.jobs ?? 0, jobTexts, texts };
    };
    const states = models.map(async (name): Promise<ModelState> => {
      const [interactive, bulk] = await Promise.all([laneState(name, 'interactive'), laneState(name, 'bulk')]);
      const serving = alive.filter((worker) => worker.state === 'ready' && worker.models[name] !== undefined);
      const textsPerSecond = total(serving.map((worker) => worker.textsPerSecond));
      const fills = serving.flatMap(({ fill }) => (fill === null ? [] : [fill]));
      return {
        name,
        lanes: { interactive, bulk },
        readyWorkers: serving.length,
        textsPerSecond,
        tokensPerSecond: total(serving.map((worker) => worker.tokensPerSecond)),
        fill: fills.length === 0 ? null : total(fills) / fills.length,
        backlogSeconds: backlogSeconds(interactive.texts + bulk.texts, this.#rateOf(name, textsPerSecond)),
      };
    });
    return { models: await Promise.all(states), workers: alive };
  }
}

/** Unfinished texts / texts a second; null when there is work and no rate to tell. */
export function backlogSeconds(texts: number, textsPerSecond: number): number | null {
  if (texts === 0) return 0;
  return textsPerSecond > 0 ? texts / textsPerSecond : null;
}

/** Tasks waiting, delayed and active. */
export function tasksOf({ waiting, delayed, active }: LaneDepth): number {
  return waiting + delayed + active;
}

/** Unfinished jobs of all models. */
export function activeJobs({ models }: Look): number {
  return total(models.flatMap(({ lanes }) => LANES.map((lane) => lanes[lane].jobs)));
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
