import type { Lane } from '#contracts';

/** What an engine did since it started. */
export interface EngineStats {
  /** Texts computed. */
  readonly texts: number;
  /** Their tokens, special tokens included. */
  readonly tokens: number;
  /** Tokens the device computed for them, padding included; `tokens / paddedTokens` is the fill. */
  readonly paddedTokens: number;
  /** Micro-batches run, failed ones included. */
  readonly batches: number;
  /** Time the device spent on them, ms. */
  readonly busyMs: number;
  /** Texts that could not be computed. */
  readonly failedTexts: number;
  /** Texts aborted before inference. */
  readonly cancelledTexts: number;
  readonly deviceRestarts: number;
  /** Texts handed in and not handed to the device yet, by lane. */
  readonly queued: Readonly<Record<Lane, number>>;
}

/** Where the time of one `Engine.run` went, ms; the three add up to all of it. */
export interface RunTimings {
  /** Until its last input was tokenised. */
  readonly tokenizeMs: number;
  /** From there until its last micro-batch ran. */
  readonly batchMs: number;
  /** Of that micro-batch on the device. */
  readonly inferenceMs: number;
}

/** One micro-batch that the device has finished. */
export interface BatchReport {
  readonly rows: number;
  /** Rows by the lane they came from. */
  readonly laneRows: Readonly<Record<Lane, number>>;
  /** Real tokens. */
  readonly tokens: number;
  /** Rows x longest row. */
  readonly paddedTokens: number;
  readonly deviceMs: number;
  /** From the moment the oldest of its texts was ready for a batch until the batch was done, less `deviceMs`; ms. */
  readonly queueMs: number;
}
