import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import type { GraphInterface } from '#model';
import { deviceName, type DeviceChoice } from './device-choice.js';
import type { PackedBatch } from './device.js';

export interface OnnxSessionOptions {
  readonly onnxPath: string;
  readonly graph: GraphInterface;
  readonly device: DeviceChoice;
  /** Intra-op threads of a CPU session. */
  readonly threads: number;
}

// What ONNX Runtime logs as an error it also throws.
env.logLevel = 'fatal';

const KNOWN_INPUTS = new Set(['input_ids', 'attention_mask', 'token_type_ids', 'position_ids']);

/**
 * An ONNX session computes raw pooled vectors from packed batches. `run` BLOCKS its thread for the whole inference:
 * use it in a device thread, never on a main thread.
 */
export class OnnxSession {
  readonly #session: InferenceSession;
  readonly #graph: GraphInterface;
  /** Element type of the id inputs: int64 in every export known, int32 in some hand-made ones. */
  readonly #wide: boolean;
  /** Input buffers, kept between runs: `#session.run` has read them when it returns. */
  readonly #inputs = new Map<string, Int32Array<ArrayBuffer>>();

  private constructor(session: InferenceSession, graph: GraphInterface) {
    this.#session = session;
    this.#graph = graph;
    const ids = session.inputMetadata.find((input) => input.name === 'input_ids');
    this.#wide = !(ids?.isTensor === true && ids.type === 'int32');
  }

  /** @throws Error with one line that says what to do when the device or the graph cannot be had. */
  static async create(options: OnnxSessionOptions): Promise<OnnxSession> {
    const session = await InferenceSession.create(options.onnxPath, sessionOptions(options)).catch((error: unknown) => {
      throw new Error(refusal(options, error), { cause: error });
    });
    const { graph } = options;
    const unknown = session.inputNames.filter((name) => !KNOWN_INPUTS.has(name));
    if (unknown.length > 0) throw new Error(`the graph asks for the input ${unknown.join(', ')}, which is unknown`);
    if (!session.outputNames.includes(graph.output)) throw new Error(`the graph has no output "${graph.output}"`);
    return new OnnxSession(session, graph);
  }

  /** @returns `[rows * width]`, a buffer of its own. */
  async run(batch: PackedBatch): Promise<Float32Array<ArrayBuffer>> {
    const feeds: Record<string, Tensor> = {};
    for (const name of this.#session.inputNames) feeds[name] = this.#tensor(name, batch);
    const { output, width } = this.#graph;
    const fetched = (await this.#session.run(feeds, [output]))[output]!;
    const vectors = fetched.data;
    if (!(vectors instanceof Float32Array) || vectors.length !== batch.rows * width) {
      throw new Error(
        `the graph gave ${fetched.type} [${fetched.dims.join(', ')}], not float32 [${batch.rows}, ${width}]`,
      );
    }
    return vectors as Float32Array<ArrayBuffer>;
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  /** `[rows, tokens]` of int64: ids as they are; mask 1 for real tokens; types 0; positions 0, 1, 2… */
  #tensor(name: string, batch: PackedBatch): Tensor {
    const { rows, tokens, ids, lengths } = batch;
    const size = rows * tokens;
    // An int64 is two int32 words, the low one first on every machine ONNX Runtime has a build for.
    const stride = this.#wide ? 2 : 1;
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
    } else if (name === 'position_ids') {
      for (let i = 0; i < size; i++) words[i * stride] = i % tokens;
    }
    const data = this.#wide ? new BigInt64Array(words.buffer, 0, size) : words.subarray(0, size);
    return this.#wide
      ? new Tensor('int64', data as BigInt64Array, [rows, tokens])
      : new Tensor('int32', data as Int32Array, [rows, tokens]);
  }
}

function sessionOptions({ device, threads }: OnnxSessionOptions): InferenceSession.SessionOptions {
  return {
    executionProviders: [device.kind === 'cuda' ? { name: 'cuda', deviceId: device.index } : device.kind],
    ...(device.kind === 'cpu' ? { intraOpNumThreads: threads, interOpNumThreads: 1 } : {}),
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    // Both keep memory for shapes seen, and shapes vary from batch to batch: without them the process is a third
    // smaller and no slower.
    enableMemPattern: false,
    enableCpuMemArena: false,
    logSeverityLevel: 4,
    // Its threads spin while a run is under way, which small batches need, and not after it: on few cores they would
    // take the time of everybody else on the way of the next text.
    extra: { session: { force_spinning_stop: '1' } },
  };
}

/** ONNX Runtime's own words are long and end in stack traces; its first line and the way out are what helps. */
function refusal({ device, onnxPath }: OnnxSessionOptions, error: unknown): string {
  const reason = firstLine(error instanceof Error ? error.message : String(error));
  if (device.kind === 'cpu') return `cannot load ${onnxPath}: ${reason}`;
  const way =
    device.kind === 'cuda'
      ? 'install the CUDA provider (ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node) with CUDA 12 and cuDNN 9, or use EMBED_DEVICE=cpu'
      : 'it needs a GPU with a Vulkan, Metal or D3D12 driver; or use EMBED_DEVICE=cpu';
  return `device ${deviceName(device)} cannot be had: ${way} (${reason})`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!.slice(0, 300);
}
