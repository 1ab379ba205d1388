import { LANES } from '#contracts';
import { HISTORY_TICK_MS, historyField, type HistoryRecorder } from '#store';
import type { InteractiveAdmission } from '../interactive/admission.js';
import { type Fleet, tasksOf } from '../operation/fleet.js';

export interface SamplerParts {
  readonly recorder: HistoryRecorder;
  readonly fleet: Fleet;
  readonly admission: InteractiveAdmission;
  readonly models: readonly string[];
}

/**
 * Samples queue depth into history once per tick, in one process of the deployment. Every process adds its own waiting
 * texts.
 */
export class HistorySampler {
  readonly #parts: SamplerParts;

  constructor(parts: SamplerParts) {
    this.#parts = parts;
  }

  start(): void {
    const { admission, models, recorder } = this.#parts;
    recorder.beforeTick((tick) => {
      for (const model of models) recorder.add(model, 'waiting', admission.of(model) * HISTORY_TICK_MS);
      // Redis is unavailable or slow: the tick has no sample.
      this.#sample(tick).catch(() => recorder.missed());
    });
    recorder.start();
  }

  async #sample(tick: number): Promise<void> {
    const { fleet, recorder } = this.#parts;
    if (!(await recorder.claim(tick))) return;
    const amounts = new Map<string, number>();
    for (const { name, lanes } of (await fleet.read()).models) {
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
