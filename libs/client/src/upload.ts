import { ndjsonChunks, ndjsonOf } from './ndjson.js';
import type { Repeat } from './retry.js';

/** A job's texts on their way out. */
export interface Upload {
  readonly body: () => string | ReadableStream<Uint8Array>;
  readonly repeat: Repeat;
  /** What the iterable threw, if it did; undefined otherwise. */
  readonly failure: () => unknown;
  /** Takes no more of the iterable, and lets it clean up: not every `fetch` does when an upload ends early. */
  readonly stop: () => void;
}

/** Texts as the body of an upload: a list goes out at once and can be sent again, an iterable is read once. */
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
    // A chunk is made when it is asked for, and not before.
    { highWaterMark: 0 },
  );
  return {
    body: () => stream,
    repeat: 'never',
    failure: () => failure,
    stop: () => {
      // The call has its outcome already; an error in the clean-up is not it.
      chunks.return(undefined).catch(() => {});
    },
  };
}
