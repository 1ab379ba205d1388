/** An alternative to Embedmill, in one configuration. */
export interface Peer {
  /** Title of its row in the table. */
  readonly name: string;
  /** Of the configurations of one kind, the fastest is compared with ours. */
  readonly kind: string;
  readonly dtype: 'fp32' | 'int8';
  /** Loads the model. Not part of the measured time. */
  start(): Promise<RunningPeer>;
}

export interface RunningPeer {
  embed(texts: readonly string[]): Promise<PeerRun>;
  stop(): Promise<void>;
}

/** A peer's result for some texts. */
export interface PeerRun {
  /** As a user experiences it: from submitting the texts until all vectors are received. */
  readonly seconds: number;
  /** `[texts, dimensions]`, in the order of the texts. */
  readonly vectors: Float32Array;
}

/** Why a peer cannot be measured on this machine; the message is one line, for the report. */
export class Absent extends Error {}
