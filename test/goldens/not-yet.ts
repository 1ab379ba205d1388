/**
 * Goldens that this version does not serve as they are. `goldens.spec.ts` fails when an entry is no longer true, so the
 * lists cannot outlive their reasons. All other goldens are served, but for those of
 * other heads than vectors: `heads.spec.ts`.
 */

/** Refused when the model is loaded: name -> what the refusal says. */
export const REFUSED: Readonly<Record<string, RegExp>> = {};

/** Loaded, but not with the vectors of sentence-transformers: name -> why. */
export const ANOTHER_VECTOR: Readonly<Record<string, string>> = {};

/** Texts to which a kind of tokenizer gives other ids than the tokenizer of transformers: kind -> indexes of texts. */
export const OTHER_IDS: Readonly<Record<string, readonly number[]>> = {};
