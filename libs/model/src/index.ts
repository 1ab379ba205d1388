export { dtypeFor } from './dtype-for.js';
export { type LoadOptions, loadModel } from './load.js';
export type { DownloadProgress } from './resolve/download.js';
export { type DownloadedModel, downloadedModels } from './resolve/downloaded.js';
export { NotDownloadedError } from './resolve/hub.js';
export { resolveModel, type ResolveOptions } from './resolve/resolve-model.js';
export { type Encoded, type EncodeOptions, TextTooComplexError, type Tokenizer } from './tokenizer/tokenizer.js';
export { TokenizerThread } from './tokenizer/tokenizer-thread.js';
export type { ExtraInput, Graph, GraphInterface, RunnableModel, TokenizerFiles } from './types.js';
