import type { Engine } from '#inference';
import type { HistoryName, HistoryRecorder } from '#store';

/** Adds the growth of an engine's counters to the history at every tick. */
export function recordEngine(history: HistoryRecorder, model: string, engine: Pick<Engine, 'stats'>): void {
  let last = engine.stats();
  history.beforeTick(() => {
    const now = engine.stats();
    const grown: readonly [HistoryName, number][] = [
      ['texts', now.texts - last.texts],
      ['tokens', now.tokens - last.tokens],
      ['padded', now.paddedTokens - last.paddedTokens],
      ['failed', now.failedTexts - last.failedTexts],
    ];
    for (const [name, amount] of grown) history.add(model, name, amount);
    last = now;
  });
}
