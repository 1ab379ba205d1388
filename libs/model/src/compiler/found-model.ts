import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BootError } from '#contracts';
import { readFoundGraphConfig } from '../config/found-graph-config.js';
import { readConfig } from '../config/transformers.js';
import { requireNoPointers } from '../config/lfs-pointer.js';
import { tasksIn } from '../task.js';
import type { Manifest, ModelFiles } from '../types.js';
import { batchDependence } from './onnx/batch-dependence.js';
import {
  externalFilesOf,
  type FoundValue,
  inputValuesOf,
  type OnnxModel,
  outputValuesOf,
  readModel,
} from './onnx/found-graph.js';
import { type GraphInputs, readInputs } from './onnx/graph-inputs.js';
import { chooseOutput, type ChosenOutput } from './onnx/graph-output.js';

/** An ONNX file, and how to call it. */
export interface FoundModel {
  readonly model: OnnxModel;
  readonly inputs: GraphInputs;
  /** Names of the files beside it with its weights. */
  readonly external: readonly string[];
  /** Rows of each run; null: any number. */
  readonly rows: number | null;
  readonly maxTokens: number;
  /** One line each. */
  readonly warnings: readonly string[];
  /** Outputs as the file describes them. */
  readonly outputs: readonly FoundValue[];
  /** @throws BootError, one line, when none of the outputs is a vector or hidden states */
  choose(outputs: readonly FoundValue[]): ChosenOutput | 'unclear';
}

/**
 * Reads an ONNX file, without its weights, and decides how to call it.
 * @throws BootError, one line, when it cannot be called, or when a text's vector would depend on other texts
 */
export async function readFoundModel(files: ModelFiles, manifest: Manifest, path: string): Promise<FoundModel> {
  const { source } = files;
  const model = await readModel(path);
  const external = externalFilesOf(model, source);
  for (const file of external) {
    if (existsSync(join(dirname(path), file))) continue;
    throw new BootError(`${source}: ${basename(path)} has its weights in ${file}, which is not beside it`);
  }
  await requireNoPointers(external.map((file) => join(dirname(path), file)));
  if (files.config === null) throw new Error(`${source}: a model with an ONNX file has a config.json`);
  const config = await readConfig(files.config);
  const { cache, vocabulary } = readFoundGraphConfig(config);
  const inputs = readInputs(inputValuesOf(model), { source, cache, task: manifest.task, tasks: tasksIn(config) });
  const alone = files.overrides.rowsPerBatch === 1;
  requireIndependence(model, inputs, alone || inputs.rows === 1, `${source}: ${basename(path)}`);
  if (alone && inputs.rows !== null && inputs.rows !== 1) {
    throw new BootError(`${source}: rowsPerBatch is 1, but its ONNX graph takes exactly ${inputs.rows} rows`);
  }
  const warnings: string[] = [];
  const outputs = outputValuesOf(model);
  return {
    model,
    inputs,
    external,
    rows: alone ? 1 : inputs.rows,
    maxTokens: tokensServed(files, manifest, inputs.tokens, warnings),
    warnings,
    outputs,
    choose(described) {
      const chosen = chooseOutput(described, {
        denseWidth: manifest.dense.length === 0 ? null : manifest.dimensions,
        ownPooling: files.overrides.pooling !== undefined,
        vocabulary,
      });
      if (chosen !== null) return chosen;
      const names = outputs.map(({ name }) => `"${name}"`).join(', ');
      throw new BootError(
        `${source}: its ONNX graph gives ${names}, neither a pooled vector nor hidden states that can be told from the rest`,
      );
    },
  };
}

/**
 * @param alone whether each text has a run of its own
 * @throws BootError, one line, when a text's vector would depend on the texts or on the padding beside it
 */
function requireIndependence(model: OnnxModel, { inputs, tokens }: GraphInputs, alone: boolean, what: string): void {
  const setting =
    'set "rowsPerBatch": 1 for it in models.json (EMBED_MODELS_FILE) to run each text alone, which is slower';
  const operator = batchDependence(model);
  if (operator !== null && !alone) {
    throw new BootError(
      `${what} rounds numbers to a scale that it computes from a whole batch (${operator}), so a text's vector would ` +
        `depend on the texts beside it: use another file (EMBED_DTYPE=fp32), or ${setting}`,
    );
  }
  if (inputs.includes('attention_mask') || (alone && tokens === null)) return;
  const way = tokens === null ? `: ${setting}` : `, which it has always, since it takes exactly ${tokens} tokens`;
  throw new BootError(
    `${what} has no input "attention_mask", so a text's vector would depend on the padding beside it${way}`,
  );
}

/** @throws BootError when models.json asks for longer texts than the graph takes */
function tokensServed(
  { overrides, source }: ModelFiles,
  { maxTokens }: Manifest,
  fixed: number | null,
  warnings: string[],
): number {
  if (fixed === null || maxTokens <= fixed) return maxTokens;
  const takes = `${source}: its ONNX graph takes exactly ${fixed} tokens`;
  if (overrides.maxTokens !== undefined) throw new BootError(`${takes}, fewer than maxTokens, ${maxTokens}`);
  warnings.push(`${takes}: longer texts are cut there, not at ${maxTokens}`);
  return fixed;
}
