import { type Environment, readEnvironment } from '#config';
import type { Dtype, ModelObject, ServedModel } from '#contracts';
import { downloadedModels, dtypeFor, loadModel, resolveModel } from '#model';
import { aligned } from '../aligned.js';
import { clientOf, connectionOf, type ConnectionOptions, isConnectionGiven } from '../connection.js';
import { whole } from '../progress.js';
import { isAway } from '../service-errors.js';
import type { Terminal } from '../terminal.js';
import { DownloadBar } from './download-bar.js';

const MIB = 1024 * 1024;

export interface LoadOptions {
  readonly dtype?: Dtype;
  readonly device?: string;
  readonly json: boolean;
}

/** Lists the models that a deployment serves, if one answers, and those in this machine's model folder. */
export async function listModels(
  options: ConnectionOptions & { readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  const { EMBED_MODEL_DIR: folder } = readEnvironment();
  const { served, url } = await servedModels(options);
  const downloaded = await downloadedModels(folder);
  if (options.json) return terminal.say(JSON.stringify({ url, served, folder, downloaded }, null, 2));

  if (served !== null) {
    terminal.say(`served at ${url}`);
    const rows = served.map((model) => [
      `  ${model.id}`,
      model.dtype,
      model.owned_by,
      whole(model.dimensions ?? 0),
      whole(model.max_tokens),
      whole(model.ready_workers),
    ]);
    for (const line of aligned([['  model', 'dtype', 'source', 'dimensions', 'tokens', 'workers'], ...rows], 3)) {
      terminal.say(line);
    }
    terminal.say();
  }
  terminal.say(`downloaded to ${folder}${downloaded.length === 0 ? ': none' : ''}`);
  const rows = downloaded.map(({ bytes, commit, dtype, id, revision }) => [
    `  ${id}@${revision}`,
    dtype,
    commit.slice(0, 12),
    `${whole(bytes / MIB)} MiB`,
  ]);
  for (const line of aligned(rows, 3)) terminal.say(line);
}

/** Finds or downloads the files of a model, as a worker does. */
export async function pullNamed(name: string, options: LoadOptions, terminal: Terminal): Promise<void> {
  const environment = environmentFor(options);
  const bar = new DownloadBar();
  try {
    const files = await resolveModel(servedAs(name, environment), {
      ...sourcesOf(environment),
      ...dtypeFor(environment.EMBED_DEVICE, environment.EMBED_DTYPE),
      onProgress: bar.show,
    });
    const { dtype } = files;
    const main = files.onnx ?? files.weights[0] ?? files.config;
    bar.close();
    for (const warning of files.warnings) console.error(warning);
    if (options.json) terminal.say(JSON.stringify({ name, source: files.source, dtype, file: main }, null, 2));
    else terminal.say(`${name}: ${files.source}, ${dtype}: ${main}`);
  } finally {
    bar.close();
  }
}

/** Compiles the graph of a model, as a worker does, so that the first worker starts quickly. */
export async function compileNamed(name: string, options: LoadOptions, terminal: Terminal): Promise<void> {
  const environment = environmentFor(options);
  const bar = new DownloadBar();
  try {
    const { card, onnxPath, warnings } = await loadModel(servedAs(name, environment), {
      ...sourcesOf(environment),
      dtype: environment.EMBED_DTYPE,
      device: environment.EMBED_DEVICE,
      deviceMemory: environment.EMBED_DEVICE_MEMORY,
      onProgress: bar.show,
    });
    bar.close();
    for (const warning of warnings) console.error(warning);
    const { dtype, fingerprint, maxTokens, operations, source } = card;
    const dimensions = operations.embed?.dimensions ?? 0;
    if (options.json) {
      terminal.say(
        JSON.stringify({ name, source, dtype, dimensions, maxTokens, fingerprint, path: onnxPath }, null, 2),
      );
      return;
    }
    terminal.say(`${name}: ${source}, ${dtype}, ${dimensions} dimensions, ${maxTokens} tokens`);
    terminal.say(`fingerprint ${fingerprint}`);
    terminal.say(onnxPath);
  } finally {
    bar.close();
  }
}

/** `served` is null when no deployment was named and none answers at the default address. */
async function servedModels(options: ConnectionOptions): Promise<{ url: string; served: ModelObject[] | null }> {
  const connection = connectionOf(options);
  try {
    return { url: connection.url, served: await clientOf(connection).models.list() };
  } catch (error) {
    if (!isAway(error) || isConnectionGiven(options)) throw error;
    return { url: connection.url, served: null };
  }
}

/** The environment, overridden by the command line's options. */
export function environmentFor({ device, dtype }: LoadOptions): Environment {
  return readEnvironment({
    ...process.env,
    ...(device === undefined ? {} : { EMBED_DEVICE: device }),
    ...(dtype === undefined ? {} : { EMBED_DTYPE: dtype }),
  });
}

/** A name in EMBED_MODELS has the source given there; any other name is itself the source. */
export function servedAs(name: string, { EMBED_MODELS }: Environment): ServedModel {
  return EMBED_MODELS.find((model) => model.name === name) ?? { name, source: name };
}

export function sourcesOf(environment: Environment) {
  return {
    modelDir: environment.EMBED_MODEL_DIR,
    modelsFile: environment.EMBED_MODELS_FILE,
    hfEndpoint: environment.HF_ENDPOINT,
    hfToken: environment.HF_TOKEN,
  };
}
