import { BootError, type ServedModel } from '#contracts';
import { z } from 'zod';
import { compileHeads, describeEncoder, poolingHead } from './compiler/index.js';
import type { HeadParts } from './compiler/heads/parts.js';
import { classifierHead } from './compiler/heads/classifier.js';
import type { CheckpointHead, RowOf } from './compiler/heads/head.js';
import { nextTokenHead } from './compiler/heads/next-token.js';
import { readOwnLinear } from './compiler/heads/own-linear.js';
import { spladeHead } from './compiler/heads/splade.js';
import { tokenVectorsHead } from './compiler/heads/token-vectors.js';
import { tokenWeightsHead } from './compiler/heads/token-weights.js';
import type { TokenTypes } from './compiler/layers/embeddings.js';
import { type JsonFile, parseFile, readJson } from './config/closed-file.js';
import { readConfig } from './config/transformers.js';
import { findHead, type FoundHead } from './found-head.js';
import { dtypeFor, requireDtype } from './dtype-for.js';
import type { LoadOptions } from './load.js';
import { poolingOf } from './pooling.js';
import { providerOf } from './provider.js';
import { resolveModel } from './resolve/resolve-model.js';
import { USUAL_TOKENS } from './served-tokens.js';
import type { ModelFiles } from './types.js';

/** An output of a graph, float32: `[rows, width]`, or `[rows, tokens, width]` where each token gets a row. */
export interface HeadOutput {
  readonly each: RowOf;
  readonly width: number;
}

/** A checkpoint compiled with the heads that it was saved with. */
export interface HeadedModel {
  readonly head: FoundHead;
  readonly onnxPath: string;
  /** Some of `input_ids`, `attention_mask`, `token_type_ids`: int64 `[rows, tokens]`, padded at the end. */
  readonly inputs: readonly string[];
  /** By name: `scores`, `weights` of the vocabulary, or bge-m3's `dense`, `sparse` and `tokens`. */
  readonly outputs: Readonly<Record<string, HeadOutput>>;
  readonly padTokenId: number;
  /** Settings in the model's files that Embedmill ignores, one line each. */
  readonly warnings: readonly string[];
}

/**
 * Compiles a checkpoint with its own heads: cross-encoders, SPLADE, bge-m3. No operation serves them yet.
 * @throws BootError, one line, for other models, and for those that have no compiler
 */
export async function loadHeads(served: ServedModel, options: LoadOptions): Promise<HeadedModel> {
  const files = await resolveModel(served, { ...options, ...dtypeFor(options.device, options.dtype) });
  const warnings: string[] = [...files.warnings];
  const warn = (warning: string) => warnings.push(warning);
  if (files.config === null) throw new BootError(`${files.source}: a table of tokens' vectors has no other head`);
  const config = await readConfig(files.config);
  const head = await findHead(files, config, warn);
  const { dtype, source, weights } = files;
  const available = { source, weights: weights.length > 0, onnx: false };
  const { architecture, encoder, warnings: ofConfig } = describeEncoder(config, available);
  if (encoder === null) throw new Error(`${source}: a model without an ONNX file must have an encoder`);
  requireDtype({ encoder }, dtype, source);
  const heads = await headsOf(head, files, config, encoder.heads ?? {}, warn);
  const compiled = await compileHeads(files, architecture, encoder, {
    ...{ dtype, heads, modelDir: options.modelDir },
    maxTokens: Math.min(encoder.positions, USUAL_TOKENS),
    provider: providerOf(options.device),
  });
  const outputs = Object.entries(heads).map(([name, { each = 'input', width }]): [string, HeadOutput] => [
    name,
    { each, width: width(encoder.hiddenSize) },
  ]);
  return {
    head,
    onnxPath: compiled.onnxPath,
    inputs: compiled.inputs,
    outputs: Object.fromEntries(outputs),
    padTokenId: encoder.padTokenId,
    warnings: [...warnings, ...ofConfig],
  };
}

/** Heads by the names of their outputs. */
async function headsOf(
  found: FoundHead,
  files: ModelFiles,
  config: JsonFile,
  parts: HeadParts,
  warn: (warning: string) => void,
): Promise<Record<string, CheckpointHead>> {
  const known = <Part>(part: Part | undefined, what: string): Part => {
    if (part !== undefined) return part;
    const [refusal = `${config.path}: Embedmill knows no ${what} of this model_type`] = parts.refusals ?? [];
    throw new BootError(`${files.source}: ${refusal}`);
  };
  switch (found.kind) {
    case 'classifier':
      return { scores: classifierHead(known(parts.classifier, 'classifier'), found.labels, await tokenTypesOf(files)) };
    case 'next token':
      return { scores: nextTokenHead(known(parts.nextToken, 'language model'), found.answers) };
    case 'splade': {
      const { vocab_size } = parseFile(config, z.object({ vocab_size: z.int().positive() }));
      return { weights: spladeHead(known(parts.maskedLm, 'masked language model'), vocab_size, found.pooling) };
    }
    case 'vector and tokens': {
      const { includePrompt, pooling } = await poolingOf(files, true, warn);
      return {
        dense: poolingHead(pooling, includePrompt),
        sparse: tokenWeightsHead(await readOwnLinear(found.sparse)),
        tokens: tokenVectorsHead(await readOwnLinear(found.vectors)),
      };
    }
    case 'vector':
      throw new BootError(`${files.source}: it gives vectors of texts, and has no other head`);
    case 'unknown':
      throw new BootError(`${config.path}: architectures is "${found.className}", for which Embedmill has no head`);
  }
}

/** A tokenizer whose settings do not list token types gives transformers none: all tokens then have type 0. */
async function tokenTypesOf({ tokenizerConfig }: ModelFiles): Promise<TokenTypes> {
  if (tokenizerConfig === null) return 'input';
  const { model_input_names: names } = parseFile(
    await readJson(tokenizerConfig),
    z.object({ model_input_names: z.array(z.string()).nullish() }),
  );
  return names && !names.includes('token_type_ids') ? 'zero' : 'input';
}
