import { ndjsonChunks, ndjsonOf } from './ndjson.js';
import type { Repeat } from './retry.js';

/** A job's texts as the body of an upload. */
export interface Upload {
  readonly body: () => string | ReadableStream<Uint8Array>;
  readonly repeat: Repeat;
  /** The error that the iterable threw; undefined if it threw none. */
  readonly failure: () => unknown;
  /** Stops reading the iterable and lets it clean up: not every `fetch` does this when an upload ends early. */
  readonly stop: () => void;
}

/** Makes the body of an upload: a list is encoded at once and can be sent again, an iterable is read only once. */
export function uploadOf(input: string | readonly string[] | Iterable<string> | AsyncIterable<string>): Upload {
  if (typeof input === 'string' || Array.isArray(input)) {
    const body = ndjsonOf(typeof input === 'string' ? [input] : (input as readonly string[]));
    return { body: () => body, repeat: 'always', failure: () => undefined, stop: () => {} };
  }
  let failure: unknown;
  const chunks = ndjsonChunks(input as AsyncIterable<string>);
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await chunks.next();
          if (done === true) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          failure = error;
          throw error;
        }
      },
      cancel: async () => void (await chunks.return(undefined)),
    },
    // Chunks are produced on demand, not ahead.
    { highWaterMark: 0 },
  );
  return {
    body: () => stream,
    repeat: 'never',
    failure: () => failure,
    stop: () => {
      // The outcome of the call is decided already: an error in the clean-up does not change it.
      chunks.return(undefined).catch(() => {});
    },
  };
}
