import type { Activation } from '../layers/activation.js';

/** A linear layer in a checkpoint. */
export interface LinearPart {
  /** Names without `.weight`, of which the first that exists is read: checkpoints of one family differ in them. */
  readonly names: readonly string[];
  readonly biased: boolean;
}

/** A layer norm in a checkpoint. */
export interface NormPart {
  readonly name: string;
  readonly biased: boolean;
  readonly epsilon: number;
}

/** `tangent` is the hyperbolic one. */
export type HeadActivation = Activation | 'tangent';

/** A classifier over one vector of a text: `output(norm(activation(dense(vector))))`. */
export interface ClassifierParts {
  /** The vector. `last`: that of the last token other than `padTokenId`, with which texts may end, too. */
  readonly pooling: 'cls' | 'mean' | 'last';
  /** Of `last`; null: the last token counts, whatever it is. */
  readonly padTokenId: number | null;
  /** Null: there is none. `optional`: nor is there in checkpoints without these weights. */
  readonly dense: (LinearPart & { readonly activation: HeadActivation; readonly optional: boolean }) | null;
  readonly norm: NormPart | null;
  readonly output: LinearPart;
}

/** Scores of all words of the vocabulary at each token: `norm(activation(dense(hidden))) x words + bias`. */
export interface MaskedLmParts {
  readonly dense: LinearPart;
  readonly activation: Activation;
  readonly norm: NormPart;
  /** Names of the matrix `[vocabulary, hidden]`, of which the first that exists is read. */
  readonly matrix: readonly string[];
  /** Whether this matrix is the encoder's table of word embeddings. */
  readonly tied: boolean;
  /** Names of the bias `[vocabulary]`, of which the first that exists is read; empty: there is none. */
  readonly biases: readonly string[];
}

/** A language model's scores of the next token. */
export interface NextTokenParts {
  /** Names of the matrix `[vocabulary, hidden]`, of which the first that exists is read. */
  readonly matrix: readonly string[];
}

/** What checkpoints of a family may have after the hidden states; the compiler knows no other heads of it. */
export interface HeadParts {
  readonly classifier?: ClassifierParts;
  readonly maskedLm?: MaskedLmParts;
  readonly nextToken?: NextTokenParts;
  /** Settings of heads that Embedmill does not support: one line each, naming file, member and value. */
  readonly refusals?: readonly string[];
}
