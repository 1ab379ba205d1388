/** What is used here of an AbortSignal. Where each of many inputs has one, it may be something lighter. */
export interface InputSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** One for all inputs, or one (or none) for each. */
export type InputSignals = InputSignal | readonly (InputSignal | undefined)[];

/**
 * Calls `abort` with the index of every input whose signal fires, or has fired. One listener a signal, however many inputs
 * share it.
 *
 * @returns a function that stops listening.
 */
export function onAbort(inputs: number, signals: InputSignals | undefined, abort: (index: number) => void): () => void {
  const indexesOf = new Map<InputSignal, number[]>();
  for (let index = 0; index < inputs; index++) {
    const signal = isList(signals) ? signals[index] : signals;
    if (signal === undefined) continue;
    const indexes = indexesOf.get(signal);
    if (indexes === undefined) indexesOf.set(signal, [index]);
    else indexes.push(index);
  }
  const listeners: [InputSignal, () => void][] = [];
  for (const [signal, indexes] of indexesOf) {
    const listener = () => indexes.forEach(abort);
    if (signal.aborted) listener();
    else signal.addEventListener('abort', listener);
    listeners.push([signal, listener]);
  }
  return () => listeners.forEach(([signal, listener]) => signal.removeEventListener('abort', listener));
}

/** `Array.isArray` does not tell a read-only list from what is none. */
function isList(signals: InputSignals | undefined): signals is readonly (InputSignal | undefined)[] {
  return Array.isArray(signals);
}
