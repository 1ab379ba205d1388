import type { Provider } from '../../provider.js';

/**
 * The kernels of ONNX Runtime for the operators of compiled graphs, as facts: one a line.
 *
 * `[domain.]Operator versions inputs…`. Versions are those of the operator in which a kernel is valid: `13` for exactly
 * that one, `15-18` for all between. Then the element types of each input, the last group also for all further ones: f
 * float, h float16, i int32, l int64, b bool, u uint8, s int8. `ms.` is `com.microsoft`.
 *
 * - CPU: `get_all_opkernel_def()` of the Python package onnxruntime 1.30.0.
 * - CUDA: `docs/OperatorKernels.md` of microsoft/onnxruntime at 001d12d2, not 1.30.0's own but near it; not run.
 * - WebGPU: `webgpu_execution_provider.cc` (003f772b) and `webgpu_contrib_kernels.cc` (01671d9c) of that repository;
 *   what compiled graphs use is proven with 1.30.0 by `test/webgpu`. Attention operators are left out, see
 *   `biased-attention.ts`.
 */
export const KERNELS: Readonly<Record<Provider, string>> = {
  cpu: `
    Abs 13 filus
    Add 14 filus
    Cast 13-18 fhilbus
    Cast 19-20 fhilbus
    Concat 13 fhilbus
    CumSum 14 fil il
    DequantizeLinear 13-18 ius f ius
    DequantizeLinear 19-20 ius fh ius
    Div 14 filus
    DynamicQuantizeLinear 11 f
    Equal 13-18 filbus
    Equal 19 filbus
    Erf 13 f
    Expand 13 fhilbus l
    Gather 13 fhilbus il
    Greater 13 filus
    LayerNormalization 17 fh
    MatMul 13 fil
    Mul 14 filus
    QuantizeLinear 13-18 f f us
    QuantizeLinear 19-20 fh fh us
    Range 11-26 fil
    ReduceMax 18-19 filus l
    ReduceMax 20 filbus l
    ReduceSum 13 fil l
    Relu 14 fis
    Reshape 14-18 fhilbus l
    Reshape 19-20 fhilbus l
    Shape 15-18 fhilbus
    Shape 19-20 fhilbus
    SimplifiedLayerNormalization 1 fh
    Slice 13 fhilbus il
    Softmax 13 f
    Split 18 fhilbus l
    Sqrt 13 f
    Squeeze 13-20 fhilbus l
    Sub 14 filus
    Tanh 13 f
    Transpose 13-20 fhilbus
    Unsqueeze 13-20 fhilbus l
    Where 16 b filu
    ms.Attention 1 f f f i f
    ms.BiasGelu 1 f
    ms.DynamicQuantizeMatMul 1 f us f us f
    ms.EmbedLayerNormalization 1 i i f f f f f i
    ms.FastGelu 1 f
    ms.Gelu 1 f
    ms.GroupQueryAttention 1 fh fh fh fh fh i i fh fh l fh
    ms.MatMulIntegerToFloat 1 us us f f us us f
    ms.MultiHeadAttention 1 f f f f i f
    ms.QAttention 1 u us f f f i u us
    ms.QuickGelu 1 f
    ms.RotaryEmbedding 1 fh l fh
    ms.SkipLayerNormalization 1 fh
    ms.SkipSimplifiedLayerNormalization 1 fh
  `,
  cuda: `
    Abs 13 fhilus
    Add 14 fhilus
    Cast 13-18 fhilbus
    Cast 19-20 fhilbus
    Concat 13 fhilbus
    CumSum 14 fhil il
    Div 14 fhilus
    Equal 13 fhilb
    Erf 13 fh
    Expand 13 fhilbus l
    Gather 13 fhilbus il
    Greater 13 fhil
    LayerNormalization 17 fh
    MatMul 13 fh
    Mul 14 fhilus
    Range 11 fil
    ReduceMax 18 fhil l
    ReduceSum 13 fhil l
    Relu 14 fh
    Reshape 14-18 fhilbus l
    Reshape 19-20 fhilbus l
    Shape 15-18 fhilbus
    Shape 19-20 fhilbus
    SimplifiedLayerNormalization 1 fh
    Slice 13 fhilbus il
    Softmax 13 fh
    Split 18 fhilbus l
    Sqrt 13 fh
    Squeeze 13-20 fhilbus l
    Sub 14 fhilus
    Tanh 13 fh
    Unsqueeze 13-20 fhilbus l
    Where 16 b fhilu
    ms.Attention 1 fh fh fh i fh
    ms.BiasGelu 1 fh
    ms.EmbedLayerNormalization 1 i i fh fh fh fh fh i
    ms.FastGelu 1 fh
    ms.Gelu 1 fh
    ms.GroupQueryAttention 1 h h h hs hs i i h h l h
    ms.MultiHeadAttention 1 fh fh fh fh i fh
    ms.QuickGelu 1 fh
    ms.RotaryEmbedding 1 fh l fh
    ms.SkipLayerNormalization 1 fh
    ms.SkipSimplifiedLayerNormalization 1 fh
  `,
  webgpu: `
    Abs 13 fhi
    Add 14 fhi
    Cast 13-18 fhib
    Cast 19 fhib
    Concat 13 fhi
    CumSum 14 fhi il
    Div 14 fhi
    Equal 13-18 fhib
    Equal 19 fhib
    Erf 13 fh
    Expand 13 fhib l
    Gather 13 fhi il
    Greater 13 fhi
    LayerNormalization 17 fh
    MatMul 13 fhi
    Mul 14 fhi
    Range 11 fi
    ReduceMax 18-19 fhi l
    ReduceMax 20 fhi l
    ReduceSum 13 fhi l
    Relu 14 fh
    Reshape 14-18 fhib l
    Reshape 19-20 fhib l
    Shape 15-18 fhilb
    Shape 19-20 fhilb
    SimplifiedLayerNormalization 1 fh
    Slice 13 fh il
    Softmax 13 fh
    Split 18 fhi l
    Sqrt 13 fh
    Squeeze 13 fhib l
    Sub 14 fhi
    Tanh 13 fh
    Transpose 13-20 fhib
    Unsqueeze 13 fhib l
    Where 16 b fhi
    ms.BiasGelu 1 fh
    ms.FastGelu 1 fh
    ms.Gelu 1 fh
    ms.QuickGelu 1 fh
    ms.RotaryEmbedding 1 fh l fh
    ms.SkipLayerNormalization 1 fh
    ms.SkipSimplifiedLayerNormalization 1 fh
  `,
};

/** The opsets in which operators changed, up to 20; of all others that graphs have, the version does not matter here. */
export const CHANGED_IN: Readonly<Record<string, readonly number[]>> = {
  Abs: [1, 6, 13],
  Add: [7, 13, 14],
  Cast: [6, 9, 13, 19],
  Concat: [4, 11, 13],
  CumSum: [11, 14],
  DequantizeLinear: [10, 13, 19],
  Div: [7, 13, 14],
  DynamicQuantizeLinear: [11],
  Equal: [7, 11, 13, 19],
  Erf: [9, 13],
  Expand: [8, 13],
  Gather: [1, 11, 13],
  Greater: [7, 9, 13],
  LayerNormalization: [17],
  MatMul: [1, 9, 13],
  Mul: [7, 13, 14],
  QuantizeLinear: [10, 13, 19],
  Range: [11],
  ReduceMax: [1, 11, 12, 13, 18, 20],
  ReduceSum: [1, 11, 13],
  Relu: [6, 13, 14],
  Reshape: [5, 13, 14, 19],
  Shape: [1, 13, 15, 19],
  // ONNX Runtime's own, in the standard domain.
  SimplifiedLayerNormalization: [1],
  Slice: [10, 11, 13],
  Softmax: [1, 11, 13],
  Split: [2, 11, 13, 18],
  Sqrt: [6, 13],
  Squeeze: [1, 11, 13],
  Sub: [7, 13, 14],
  Tanh: [6, 13],
  Transpose: [1, 13],
  Unsqueeze: [1, 11, 13],
  Where: [9, 16],
};
