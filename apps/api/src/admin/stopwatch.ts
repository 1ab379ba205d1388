import type { PlaygroundResponse, TaskTimings } from '#contracts';
import type { EmbedWatch } from '../embeddings/embedder.js';

/** Takes the time of one request's stages, from now on. */
export class Stopwatch implements EmbedWatch {
  readonly #began = performance.now();
  #lookupMs = 0;
  #timings: TaskTimings | null = null;
  /** Whether each text was in the cache, in order. */
  cached: readonly boolean[] = [];

  lookedUp(cached: readonly boolean[]): void {
    this.#lookupMs = performance.now() - this.#began;
    this.cached = cached;
  }

  /** Of several tasks the last to be answered counts: it is the one that was waited for. */
  computed(timings: TaskTimings): void {
    this.#timings = timings;
  }

  /** Stages that add up to the total. */
  read(): Pick<PlaygroundResponse, 'stages' | 'total_ms'> {
    const totalMs = performance.now() - this.#began;
    return { stages: stagesOf(this.#lookupMs, totalMs, this.#timings), total_ms: totalMs };
  }
}

/**
 * The worker's clock says how long the texts took it, this process's how long all of it took; what lies between is the
 * way there and back, of which the queue's part is what two clocks say, within what is possible.
 */
export function stagesOf(lookupMs: number, totalMs: number, timings: TaskTimings | null): PlaygroundResponse['stages'] {
  if (timings === null) return [{ stage: 'lookup', ms: totalMs }];
  const { batchMs, inferenceMs, tokenizeMs } = timings;
  const restMs = Math.max(0, totalMs - lookupMs - tokenizeMs - batchMs - inferenceMs);
  const queueMs = Math.min(restMs, timings.queueMs);
  return [
    { stage: 'lookup', ms: lookupMs },
    { stage: 'queue', ms: queueMs },
    { stage: 'tokenize', ms: tokenizeMs },
    { stage: 'batch', ms: batchMs },
    { stage: 'inference', ms: inferenceMs },
    { stage: 'reply', ms: restMs - queueMs },
  ];
}
