/** A peer is what people would use instead of ours, in one configuration. */
export interface Peer {
  /** Names its row. */
  readonly name: string;
  /** Configurations of one kind are compared with ours by the fastest of them. */
  readonly kind: string;
  readonly dtype: 'fp32' | 'int8';
  /** Loads the model; not part of the time measured. */
  start(): Promise<RunningPeer>;
}

export interface RunningPeer {
  embed(texts: readonly string[]): Promise<PeerRun>;
  stop(): Promise<void>;
}

/** What a peer gave for some texts. */
export interface PeerRun {
  /** As its user would count them: from handing in the texts until all vectors are there. */
  readonly seconds: number;
  /** `[texts, dimensions]`, in the order of the texts. */
  readonly vectors: Float32Array;
}

/** Why something cannot be measured here; the message is one line, for the report. */
export class Absent extends Error {}
