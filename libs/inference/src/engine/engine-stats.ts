import type { Lane } from '#contracts';

/** Totals of an engine since it started. */
export interface EngineStats {
  /** Texts that got a row, without those of calls that are not counted. */
  readonly texts: number;
  /** Real tokens computed, special tokens included. */
  readonly tokens: number;
  /** Tokens computed, padding included; `tokens / paddedTokens` is the fill. */
  readonly paddedTokens: number;
  /** Micro-batches that the device completed; failed ones do not count. */
  readonly batches: number;
  /** Time the device spent on those micro-batches, ms. */
  readonly busyMs: number;
  /** Texts that could not be computed. */
  readonly failedTexts: number;
  /** Texts aborted before inference. */
  readonly cancelledTexts: number;
  readonly deviceRestarts: number;
  /** Texts that have not been passed to the device yet, by lane. */
  readonly queued: Readonly<Record<Lane, number>>;
}

/** Where the time of one `Engine.run` went, ms. The three add up to the total. */
export interface RunTimings {
  /** From the start until the last input was tokenised. */
  readonly tokenizeMs: number;
  /** From then until the end, less `inferenceMs`. */
  readonly batchMs: number;
  /** Device time of the last micro-batch. */
  readonly inferenceMs: number;
}

/** One micro-batch that the device has completed. */
export interface BatchReport {
  readonly rows: number;
  /** Rows by lane. */
  readonly laneRows: Readonly<Record<Lane, number>>;
  /** Real tokens. */
  readonly tokens: number;
  /** Rows x longest row. */
  readonly paddedTokens: number;
  readonly deviceMs: number;
  /** From when the first of its texts was tokenised until the batch was done, less `deviceMs`, ms. */
  readonly queueMs: number;
}
