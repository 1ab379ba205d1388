export { adoptOnnx } from './adopt-onnx.js';
export { compileHeads, compileModel } from './compile-model.js';
export { COMPILER_VERSION } from './compiler-version.js';
export { describeEncoder } from './describe-encoder.js';
export { STATIC_NAME, staticEncoder } from './architectures/static.js';
export { denseHead } from './heads/dense.js';
export { poolingHead, poolingModes } from './heads/pooling.js';
