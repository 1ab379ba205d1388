import type { PlaygroundResponse, TaskTimings } from '#contracts';

/**
 * Splits the total time into stages, all in ms. This process measured the lookup and the total; the worker measured
 * tokenize, batch and inference. The rest is queue and reply. The queue time compares the clocks of two machines, so it
 * is limited to that rest.
 * @param timings null when all rows came from the cache
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
