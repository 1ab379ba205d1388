/** What is used here of an AbortSignal. Where each of many texts has one, it may be something lighter. */
export interface TextSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** One for all texts, or one (or none) for each. */
export type TextSignals = TextSignal | readonly (TextSignal | undefined)[];

/**
 * Calls `abort` with the index of every text whose signal fires, or has fired. One listener a signal, however many texts share it.
 *
 * @returns a function that stops listening.
 */
export function onAbort(texts: number, signals: TextSignals | undefined, abort: (index: number) => void): () => void {
  const indexesOf = new Map<TextSignal, number[]>();
  for (let index = 0; index < texts; index++) {
    const signal = isList(signals) ? signals[index] : signals;
    if (signal === undefined) continue;
    const indexes = indexesOf.get(signal);
    if (indexes === undefined) indexesOf.set(signal, [index]);
    else indexes.push(index);
  }
  const listeners: [TextSignal, () => void][] = [];
  for (const [signal, indexes] of indexesOf) {
    const listener = () => indexes.forEach(abort);
    if (signal.aborted) listener();
    else signal.addEventListener('abort', listener);
    listeners.push([signal, listener]);
  }
  return () => listeners.forEach(([signal, listener]) => signal.removeEventListener('abort', listener));
}

/** `Array.isArray` does not tell a read-only list from what is none. */
function isList(signals: TextSignals | undefined): signals is readonly (TextSignal | undefined)[] {
  return Array.isArray(signals);
}
