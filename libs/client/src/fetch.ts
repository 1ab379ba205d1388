/** What is sent. A stream goes out as it is read. */
export interface FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string | ReadableStream<Uint8Array>;
  /** Of a request whose body is a stream. */
  readonly duplex?: 'half';
  readonly signal: AbortSignal;
}

/** As much of the platform's `fetch` as the client needs. */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>;
