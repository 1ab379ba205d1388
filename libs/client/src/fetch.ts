/** A request to send. A stream is sent as it is read. */
export interface FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string | ReadableStream<Uint8Array>;
  /** Set when the body is a stream. */
  readonly duplex?: 'half';
  readonly signal: AbortSignal;
}

/** The part of the platform's `fetch` that the client uses. */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>;
