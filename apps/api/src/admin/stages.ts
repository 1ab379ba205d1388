import type { PlaygroundResponse, TaskTimings } from '#contracts';

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
