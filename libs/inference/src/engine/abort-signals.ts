/** The part of AbortSignal that is used here, so that callers with a signal per input can pass a cheaper object. */
export interface InputSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** One signal for all inputs, or a list with one (or undefined) per input. */
export type InputSignals = InputSignal | readonly (InputSignal | undefined)[];

/**
 * Calls `abort` with the index of every input whose signal fires, or has already fired. Adds only one listener per
 * signal, however many inputs share it.
 * @returns a function that removes the listeners
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

/** `Array.isArray` alone does not narrow a union with a readonly array. */
function isList(signals: InputSignals | undefined): signals is readonly (InputSignal | undefined)[] {
  return Array.isArray(signals);
}
