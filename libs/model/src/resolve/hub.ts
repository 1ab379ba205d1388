import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { type ListFileEntry, listFiles, modelInfo } from '@huggingface/hub';
import { BootError, type Dtype } from '#contracts';
import { externalFilesOf, readModel } from '../compiler/onnx/found-graph.js';
import { type DtypeChoice, requireDtype } from '../dtype-for.js';
import { readManifest } from '../manifest.js';
import type { ManifestOverrides, ModelFiles } from '../types.js';
import { chooseDtype } from './choose-dtype.js';
import { download, type DownloadProgress, refuse, type RemoteFile } from './download.js';
import { locate } from './folder.js';
import { layoutFile, readLayout } from './layout.js';
import { pickFiles, type PickedFiles } from './pick-files.js';

export interface HubOptions extends DtypeChoice {
  readonly modelDir: string;
  /** `HF_ENDPOINT`. */
  readonly hfEndpoint: string;
  readonly hfToken?: string | undefined;
  readonly overrides: ManifestOverrides;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  readonly offline?: boolean | undefined;
  readonly withoutWeights?: boolean | undefined;
}

/** A model of the hub is not downloaded yet, and the option `offline` forbids it. */
export class NotDownloadedError extends BootError {}

/**
 * Downloads a model of the Hugging Face hub into the model folder, once: a complete download is used again without a
 * request to the hub.
 * @param id `org/name` or `org/name@revision`
 * @throws BootError that says what to do; NotDownloadedError when it is not downloaded and `offline` is set
 */
export async function filesFromHub(id: string, options: HubOptions): Promise<ModelFiles> {
  const [name = '', revision = 'main'] = id.split('@');
  const folder = join(hubFolder(options.modelDir), flat(name), flat(revision));
  const { overrides } = options;
  const filesOf = ({ commit, picked }: Complete, dtype: Dtype) =>
    locate(join(folder, commit), picked, { source: `hub:${name}@${commit}`, dtype, overrides });

  const known = await downloaded(folder, options, filesOf);
  if (known !== null) return known;
  if (options.offline === true) throw new NotDownloadedError(`model ${id} is not downloaded yet`);

  const hub = new Hub(name, options);
  const commit = await hub.commit(revision);
  const root = join(folder, commit);
  const remote = await hub.list(commit);
  const listing = [...remote.keys()];
  const deciding = layoutFile(listing);
  if (deciding !== null) await hub.download(remote.get(deciding)!, commit, root);
  const layout = await readLayout(root, listing);
  const pick = (dtype: Dtype) => pickFiles(listing, dtype, layout);
  const found = await chooseDtype(options, async (dtype) => {
    const picked = pick(dtype);
    const files = filesOf({ commit, picked }, dtype);
    for (const path of smallFiles(picked)) await hub.download(remote.get(path)!, commit, root);
    return files;
  });
  const manifest = await readManifest(found);
  requireDtype(manifest, found.dtype, found.source);
  if (options.withoutWeights === true) return found;

  const fetchAll = async (paths: readonly (string | null)[]) => {
    for (const path of paths) if (path !== null) await hub.download(remote.get(path)!, commit, root);
  };
  const all = pick(found.dtype);
  await fetchAll(all.dense.map(({ weights }) => weights));
  let picked: PickedFiles = { ...all, onnx: null };
  if (manifest.encoder === null && all.onnx !== null) {
    await fetchAll([all.onnx]);
    picked = { ...all, weights: [], onnxData: await weightsBeside(all.onnx, root, found.source) };
    requireListed(picked.onnxData, remote, `${found.source}: ${all.onnx}`);
  }
  await fetchAll([...picked.weights, ...picked.onnxData]);
  await writeRecord(join(folder, completeRecord(found.dtype)), { commit, picked });
  if (found.dtype !== options.dtype) {
    const fallback: Fallback = { dtype: found.dtype, warnings: found.warnings };
    await writeRecord(join(folder, fallbackRecord(options.dtype)), fallback);
  }
  return { ...filesOf({ commit, picked }, found.dtype), warnings: found.warnings };
}

/** Files that say how a model runs. */
function smallFiles(picked: PickedFiles): string[] {
  const {
    addedTokens,
    config,
    dense,
    head,
    isStatic,
    modules,
    pooling,
    sentenceBert,
    sentenceTransformers,
    specialTokensMap,
    tokenizer,
    tokenizerConfig,
    weights,
  } = picked;
  const single = [
    config,
    tokenizer,
    tokenizerConfig,
    specialTokensMap,
    addedTokens,
    modules,
    pooling,
    head,
    sentenceBert,
    sentenceTransformers,
  ];
  // How long the vectors of a table are, only the table says.
  const tables = isStatic ? weights : [];
  return [...single, ...dense.map((module) => module.config), ...tables].filter((path) => path !== null);
}

/** Paths of the files with an ONNX graph's weights; only the graph itself says which they are. */
async function weightsBeside(onnx: string, root: string, source: string): Promise<string[]> {
  return externalFilesOf(await readModel(join(root, onnx)), source).map((file) =>
    posix.join(posix.dirname(onnx), file),
  );
}

/** @throws BootError, one line, for a file that a graph needs and the hub does not have */
function requireListed(paths: readonly string[], remote: ReadonlyMap<string, RemoteFile>, what: string): void {
  const missing = paths.find((path) => !remote.has(path));
  if (missing !== undefined) throw new BootError(`${what} has its weights in ${missing}, which the repository lacks`);
}

/**
 * The files of a complete download, else null. One for another dtype than the first is used only if the first one was
 * looked for on the hub: the model may have it there.
 */
async function downloaded(
  folder: string,
  { dtype, fallbacks = [] }: HubOptions,
  filesOf: (complete: Complete, dtype: Dtype) => ModelFiles,
): Promise<ModelFiles | null> {
  const own = await readComplete(join(folder, completeRecord(dtype)));
  if (own !== null) {
    const files = filesOf(own, dtype);
    // Earlier versions downloaded models in dtypes in which they do not run.
    if (fallbacks.length === 0 || (await runsIn(files))) return files;
  }
  const fallback = await readRecord<Fallback>(join(folder, fallbackRecord(dtype)));
  if (fallback === null || !fallbacks.includes(fallback.dtype)) return null;
  const other = await readComplete(join(folder, completeRecord(fallback.dtype)));
  return other === null ? null : { ...filesOf(other, fallback.dtype), warnings: fallback.warnings };
}

async function runsIn(files: ModelFiles): Promise<boolean> {
  try {
    requireDtype(await readManifest(files), files.dtype, files.source);
    return true;
  } catch (error) {
    if (error instanceof BootError) return false;
    throw error;
  }
}

class Hub {
  readonly #name: string;
  readonly #options: HubOptions;
  readonly #access: { hubUrl: string; accessToken?: string };

  constructor(name: string, options: HubOptions) {
    this.#name = name;
    this.#options = options;
    this.#access = {
      hubUrl: options.hfEndpoint.replace(/\/$/, ''),
      ...(options.hfToken === undefined ? {} : { accessToken: options.hfToken }),
    };
  }

  /** The current commit of a branch, tag or commit id. */
  async commit(revision: string): Promise<string> {
    const info = await this.#ask(() =>
      modelInfo({ name: this.#name, revision, additionalFields: ['sha'], fetch: this.#fetch, ...this.#access }),
    );
    return info.sha;
  }

  async list(revision: string): Promise<Map<string, RemoteFile>> {
    return this.#ask(async () => {
      const files = new Map<string, RemoteFile>();
      const entries = listFiles({ repo: this.#name, recursive: true, revision, fetch: this.#fetch, ...this.#access });
      for await (const entry of entries) if (entry.type === 'file') files.set(entry.path, remoteFile(entry));
      return files;
    });
  }

  async download(file: RemoteFile, revision: string, root: string): Promise<void> {
    const { accessToken, hubUrl } = this.#access;
    await download(file, {
      url: `${hubUrl}/${this.#name}/resolve/${revision}/${file.path}`,
      headers: accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` },
      target: join(root, file.path),
      onProgress: this.#options.onProgress,
    });
  }

  /** `fetch` for the hub library, with Embedmill's own messages for refused requests. */
  readonly #fetch: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    refuse(response, input instanceof Request ? input.url : String(input));
    return response;
  };

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (error) {
      if (error instanceof BootError) throw error;
      const { message, cause } = error as Error;
      const reason = cause instanceof Error ? cause.message : message;
      throw new BootError(
        `model ${this.#name}: the hub at ${this.#access.hubUrl} cannot be reached (${reason}); ` +
          'set HF_ENDPOINT, or name a folder or an npm package instead',
        { cause: error },
      );
    }
  }
}

function remoteFile({ path, size, lfs, oid }: ListFileEntry): RemoteFile {
  if (lfs) return { path, size: lfs.size, digest: { algorithm: 'sha256', hex: lfs.oid.replace(/^sha256:/, '') } };
  return { path, size, digest: { algorithm: 'git-sha1', hex: oid ?? '' } };
}

/** Folder of downloads: `org--name/revision/complete-DTYPE.json` and `org--name/revision/COMMIT/`. */
export function hubFolder(modelDir: string): string {
  return join(modelDir, 'hub');
}

/** Turns a name into one folder name. Names of the hub have no two hyphens in a row. */
function flat(name: string): string {
  return name.replaceAll('/', '--');
}

/** The inverse of `flat`. */
export function unflat(folder: string): string {
  return folder.replaceAll('--', '/');
}

/** Names of the records in a model's folder. */
const completeRecord = (dtype: Dtype) => `complete-${dtype}.json`;
const fallbackRecord = (dtype: Dtype) => `fallback-${dtype}.json`;

/** A complete download. */
interface Complete {
  readonly commit: string;
  readonly picked: PickedFiles;
}

/** The dtype that is used by default in place of one that the model does not have. */
interface Fallback {
  readonly dtype: Dtype;
  readonly warnings: readonly string[];
}

/** Reads the record of a complete download; null when there is none. */
export async function readComplete(path: string): Promise<Complete | null> {
  const complete = await readRecord<Complete>(path);
  if (complete === null) return null;
  const { commit, picked } = complete;
  // Records of 0.1.0 say nothing of Dense modules and static models, which were refused.
  return { commit, picked: { ...picked, isStatic: picked.isStatic ?? false, dense: picked.dense ?? [] } };
}

async function readRecord<Content>(path: string): Promise<Content | null> {
  const json = await readFile(path, 'utf8').catch(() => null);
  return json === null ? null : (JSON.parse(json) as Content);
}

async function writeRecord(path: string, content: Complete | Fallback): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.${process.pid}`, JSON.stringify(content));
  await rename(`${path}.${process.pid}`, path);
}
