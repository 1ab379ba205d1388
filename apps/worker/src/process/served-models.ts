import type { Environment } from '#config';
import type { Engine } from '#inference';
import type { RunnableModel } from '#model';
import type { Log } from '../log.js';
import type { TaskProcessor } from './task-processor.js';
import type { ModelSource } from './model-source.js';

/** A model with its running engine. */
export interface Served {
  readonly model: RunnableModel;
  readonly engine: Engine;
}

/** The models of this worker: first loaded (files, compiled graph, card), then started (device threads). */
export class ServedModels {
  readonly #environment: Environment;
  readonly #log: Log;
  readonly #source: ModelSource;
  readonly #processorOf: (served: Served) => TaskProcessor;
  readonly #byName = new Map<string, { processor: TaskProcessor; engine: Engine }>();
  #loaded: readonly RunnableModel[] = [];
  #served: readonly Served[] = [];

  constructor(environment: Environment, log: Log, source: ModelSource, processorOf: (served: Served) => TaskProcessor) {
    this.#environment = environment;
    this.#log = log;
    this.#source = source;
    this.#processorOf = processorOf;
  }

  /** Empty before `load`. */
  get loaded(): readonly RunnableModel[] {
    return this.#loaded;
  }

  /** Empty before `start`. */
  get started(): readonly Served[] {
    return this.#served;
  }

  get device(): string {
    return this.#environment.EMBED_DEVICE;
  }

  /** @throws BootError naming the model that cannot be loaded, and why. */
  async load(): Promise<void> {
    const loaded: RunnableModel[] = [];
    for (const served of this.#environment.EMBED_MODELS) {
      const began = performance.now();
      const model = await this.#source.load(served);
      const { name, source, operations, maxTokens, dtype, fingerprint } = model.card;
      const ms = Math.round(performance.now() - began);
      this.#log.info({ model: name, source, operations, maxTokens, dtype, fingerprint, ms }, 'model loaded');
      for (const warning of model.warnings) this.#log.warn({ model: name }, warning);
      loaded.push(model);
    }
    this.#loaded = loaded;
  }

  /** @throws BootError when the device is unavailable or a model's longest text exceeds the token budget. */
  async start(): Promise<void> {
    const served: Served[] = [];
    for (const model of this.#loaded) {
      const engine = await this.#source.start(model);
      served.push({ model, engine });
      this.#byName.set(model.card.name, { processor: this.#processorOf({ model, engine }), engine });
    }
    this.#served = served;
  }

  /** The processor that both lanes of a model share. @throws Error before `start` */
  processor(name: string): TaskProcessor {
    return this.#of(name).processor;
  }

  engine(name: string): Engine {
    return this.#of(name).engine;
  }

  /** Lets the engines finish the inputs they have, for at most `deadlineMs`, and closes them. */
  async close(deadlineMs: number): Promise<void> {
    await Promise.all(this.#served.map(({ engine }) => engine.close({ deadlineMs })));
  }

  #of(name: string): { processor: TaskProcessor; engine: Engine } {
    const found = this.#byName.get(name);
    if (found === undefined) throw new Error(`"${name}" is not started`);
    return found;
  }
}
