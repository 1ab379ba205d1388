export { checkModel, type ModelCheck } from './check-model.js';
export { PROBE_IDS, probeGraph } from './compiler/probe-graph.js';
export { dtypeFor } from './dtype-for.js';
export { extraTensor } from './extra-tensor.js';
export { type LoadOptions, loadModel } from './load.js';
export { loadHeads } from './load-heads.js';
export type { DownloadProgress } from './resolve/download.js';
export { type DownloadedModel, downloadedModels } from './resolve/downloaded.js';
export { NotDownloadedError } from './resolve/hub.js';
export { resolveModel, type ResolveOptions } from './resolve/resolve-model.js';
export { nativeMissing } from './tokenizer/drivers/choose-driver.js';
export { mostTokens } from './tokenizer/most-tokens.js';
export {
  type Encoded,
  type EncodeOptions,
  PromptTooLongError,
  TextTooComplexError,
  type Tokenizer,
} from './tokenizer/tokenizer.js';
export { TokenizerThread } from './tokenizer/tokenizer-thread.js';
export { PROMPT_TOKENS } from './types.js';
export type {
  AttentionBudget,
  ExtraInput,
  Graph,
  GraphInterface,
  RunnableModel,
  RunShape,
  TokenizerFiles,
} from './types.js';
