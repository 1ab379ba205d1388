import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import { extraTensor, type GraphInterface, PROMPT_TOKENS } from '#model';
import { cutBatch } from './cut-batch.js';
import { deviceName, type DeviceChoice } from './device-choice.js';
import type { PackedBatch } from './device.js';

export interface OnnxSessionOptions {
  readonly onnxPath: string;
  readonly graph: GraphInterface;
  readonly device: DeviceChoice;
  /** Intra-op threads of a CPU session. */
  readonly threads: number;
  /** Whether to refuse a graph of which the device would leave a part to the CPU. Default: no. */
  readonly alone?: boolean;
}

// ONNX Runtime also throws every error that it logs.
env.logLevel = 'fatal';

const KNOWN_INPUTS = new Set(['input_ids', 'attention_mask', 'token_type_ids', 'position_ids', PROMPT_TOKENS]);

/**
 * An ONNX session computes the floats of rows from packed batches. `run` BLOCKS its thread for the whole inference: use
 * it in a device thread, never on the main thread.
 */
export class OnnxSession {
  readonly #session: InferenceSession;
  readonly #graph: GraphInterface;
  /** Inputs made of tokens that are int32, as in some hand-made graphs, rather than int64, as in all common exports. */
  readonly #narrow: ReadonlySet<string>;
  /** Input buffers, reused between runs: `#session.run` no longer reads them after it has returned. */
  readonly #inputs = new Map<string, Int32Array<ArrayBuffer>>();

  private constructor(session: InferenceSession, graph: GraphInterface) {
    this.#session = session;
    this.#graph = graph;
    const narrow = session.inputMetadata.filter((input) => input.isTensor && input.type === 'int32');
    this.#narrow = new Set(narrow.map(({ name }) => name));
  }

  /** @throws Error, one line that says what to do, when the device is not available or the graph cannot be loaded */
  static async create(options: OnnxSessionOptions): Promise<OnnxSession> {
    const session = await InferenceSession.create(options.onnxPath, sessionOptions(options)).catch((error: unknown) => {
      throw new Error(refusal(options, error), { cause: error });
    });
    const { graph } = options;
    const extra = new Set(graph.extraInputs?.map(({ name }) => name));
    const unknown = session.inputNames.filter((name) => !KNOWN_INPUTS.has(name) && !extra.has(name));
    if (unknown.length > 0) throw new Error(`the graph asks for the input ${unknown.join(', ')}, which is unknown`);
    if (!session.outputNames.includes(graph.output)) throw new Error(`the graph has no output "${graph.output}"`);
    return new OnnxSession(session, graph);
  }

  /** @returns `[rows * width]`, in a new buffer. @throws Error when the graph returns another type or size */
  async run(batch: PackedBatch): Promise<Float32Array<ArrayBuffer>> {
    const { runShape, width } = this.#graph;
    if (runShape === undefined) return this.#runOnce(batch);
    const values = new Float32Array(batch.rows * width);
    let at = 0;
    for (const part of cutBatch(batch, runShape)) {
      const rows = await this.#runOnce(part);
      // The last run may have rows that only fill it up.
      values.set(rows.subarray(0, values.length - at), at);
      at += rows.length;
    }
    return values;
  }

  async #runOnce(batch: PackedBatch): Promise<Float32Array<ArrayBuffer>> {
    const feeds: Record<string, Tensor> = {};
    for (const name of this.#session.inputNames) {
      const extra = this.#graph.extraInputs?.find((one) => one.name === name);
      if (name === PROMPT_TOKENS) {
        feeds[name] = promptTensor(batch, this.#narrow.has(name));
      } else if (extra === undefined) {
        feeds[name] = this.#tensor(name, batch);
      } else {
        const { data, dims, type } = extraTensor(extra, batch.rows, batch.tokens);
        feeds[name] = new Tensor(type as 'float32', data as Float32Array, dims);
      }
    }
    const { output, width } = this.#graph;
    const outputs = await this.#session.run(feeds, [output]).catch((error: unknown) => {
      throw explained(error);
    });
    const fetched = outputs[output]!;
    const values = fetched.data;
    if (!(values instanceof Float32Array) || values.length !== batch.rows * width) {
      throw new Error(
        `the graph gave ${fetched.type} [${fetched.dims.join(', ')}], not float32 [${batch.rows}, ${width}]`,
      );
    }
    return values as Float32Array<ArrayBuffer>;
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  /** `[rows, tokens]` of int64 or int32: ids; mask, 1 for real tokens; types; or positions in turn */
  #tensor(name: string, batch: PackedBatch): Tensor {
    const { rows, tokens, ids, lengths, types } = batch;
    const { firstPosition = 0 } = this.#graph;
    const size = rows * tokens;
    // An int64 is two int32 words, low word first: all builds of ONNX Runtime are for little-endian machines.
    const wide = !this.#narrow.has(name);
    const stride = wide ? 2 : 1;
    let words = this.#inputs.get(name);
    if (words === undefined || words.length < size * stride) {
      words = new Int32Array(size * stride);
      this.#inputs.set(name, words);
    }
    if (name === 'input_ids') {
      for (let i = 0; i < size; i++) words[i * stride] = ids[i]!;
    } else if (name === 'attention_mask') {
      for (let row = 0; row < rows; row++) {
        const real = lengths[row]!;
        for (let token = 0; token < tokens; token++) words[(row * tokens + token) * stride] = token < real ? 1 : 0;
      }
    } else if (name === 'token_type_ids') {
      // Written even if all are 0: the buffer may still have those of an earlier batch.
      for (let i = 0; i < size; i++) words[i * stride] = types === null ? 0 : types[i]!;
    } else if (name === 'position_ids') {
      // Counted from after the padding id, a padding token is not counted, and has that id as its position.
      const uncounted = firstPosition === 0 ? null : firstPosition - 1;
      let next = firstPosition;
      for (let i = 0; i < size; i++) {
        if (i % tokens === 0) next = firstPosition;
        words[i * stride] = ids[i] === uncounted ? uncounted : next++;
      }
    }
    const data = wide ? new BigInt64Array(words.buffer, 0, size) : words.subarray(0, size);
    return wide
      ? new Tensor('int64', data as BigInt64Array, [rows, tokens])
      : new Tensor('int32', data as Int32Array, [rows, tokens]);
  }
}

/** `[rows]`. */
function promptTensor({ promptTokens, rows }: PackedBatch, narrow: boolean): Tensor {
  const counts = promptTokens ?? new Int32Array(rows);
  if (narrow) return new Tensor('int32', Int32Array.from(counts), [rows]);
  return new Tensor('int64', BigInt64Array.from(counts, BigInt), [rows]);
}

function sessionOptions({ device, threads, alone = false }: OnnxSessionOptions): InferenceSession.SessionOptions {
  return {
    executionProviders: [device.kind === 'cuda' ? { name: 'cuda', deviceId: device.index } : device.kind],
    ...(device.kind === 'cpu' ? { intraOpNumThreads: threads, interOpNumThreads: 1 } : {}),
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    // Both cache memory by input shape, but shapes vary from batch to batch: without them the process is a third
    // smaller and no slower.
    enableMemPattern: false,
    enableCpuMemArena: false,
    logSeverityLevel: 4,
    // Its threads may spin-wait during a run, which small batches need, but not after it: on few cores they would take
    // CPU time from the threads that prepare the next batch.
    extra: { session: { force_spinning_stop: '1', ...(alone ? { disable_cpu_ep_fallback: '1' } : {}) } },
  };
}

/** ONNX Runtime's messages are long and end in stack traces: keep the first line, and add what to do. */
function refusal({ device, onnxPath }: OnnxSessionOptions, error: unknown): string {
  const reason = firstLine(error instanceof Error ? error.message : String(error));
  if (device.kind === 'cpu') return `cannot load ${onnxPath}: ${reason}`;
  if (/assigned to the default CPU EP/.test(reason)) {
    return `device ${deviceName(device)} would leave a part of a model's graph to the CPU: this build of ONNX Runtime lacks a kernel for it`;
  }
  const way =
    device.kind === 'cuda'
      ? 'install the CUDA provider (ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node) with CUDA 12 and cuDNN 9, or use EMBED_DEVICE=cpu'
      : 'it needs a GPU with a Vulkan, Metal or D3D12 driver; or use EMBED_DEVICE=cpu';
  return `device ${deviceName(device)} cannot be had: ${way} (${reason})`;
}

/** A device without half precision is known only when a graph in it runs. */
function explained(error: unknown): unknown {
  const reason = firstLine(error instanceof Error ? error.message : String(error));
  if (!/requires f16/.test(reason)) return error;
  return new Error(`the device has no 16-bit shaders: use EMBED_DTYPE=fp32 (${reason})`, { cause: error });
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!.slice(0, 300);
}
