import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { LANES } from '#contracts';
import { HISTORY_TICK_MS, historyField, type HistoryRecorder } from '#store';
import type { WaitingTexts } from '../embeddings/waiting-texts.js';
import { type DeploymentState, tasksOf } from '../metrics/deployment-state.js';

export interface SamplerParts {
  readonly recorder: HistoryRecorder;
  readonly state: DeploymentState;
  readonly waiting: WaitingTexts;
  readonly models: readonly string[];
}

/** Puts into history, tick by tick, what nobody counts by himself: how full the queue is. */
@Injectable()
export class HistorySampler implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #parts: SamplerParts;

  constructor(parts: SamplerParts) {
    this.#parts = parts;
  }

  onApplicationBootstrap(): void {
    const { models, recorder, waiting } = this.#parts;
    recorder.beforeTick((tick) => {
      for (const model of models) recorder.add(model, 'waiting', waiting.of(model) * HISTORY_TICK_MS);
      // Redis is away or slow: the tick stays without a sample.
      this.#sample(tick).catch(() => recorder.missed());
    });
    recorder.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.#parts.recorder.stop();
  }

  async #sample(tick: number): Promise<void> {
    const { recorder, state } = this.#parts;
    if (!(await recorder.claim(tick))) return;
    const amounts = new Map<string, number>();
    for (const { name, lanes } of (await state.look()).models) {
      amounts.set(historyField(name, 'samples'), 1);
      for (const lane of LANES) {
        const { jobTexts } = lanes[lane];
        const tasks = tasksOf(lanes[lane]);
        if (tasks > 0) amounts.set(historyField(name, `tasks.${lane}`), tasks);
        if (jobTexts > 0) amounts.set(historyField(name, `jobs.${lane}`), jobTexts);
      }
    }
    await recorder.write(tick, amounts);
  }
}
