import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ListFileEntry, listFiles, modelInfo } from '@huggingface/hub';
import { BootError, type Dtype } from '#contracts';
import { readManifest } from '../manifest.js';
import type { ManifestOverrides, ModelFiles } from '../types.js';
import { download, type DownloadProgress, refuse, type RemoteFile } from './download.js';
import { locate } from './folder.js';
import { layoutFile, readLayout } from './layout.js';
import { pickFiles, type PickedFiles } from './pick-files.js';

export interface HubOptions {
  readonly modelDir: string;
  readonly dtype: Dtype;
  /** `HF_ENDPOINT`. */
  readonly hfEndpoint: string;
  readonly hfToken?: string | undefined;
  readonly overrides: ManifestOverrides;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  readonly offline?: boolean | undefined;
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
  const complete = join(folder, `complete-${options.dtype}.json`);
  const source = (commit: string) => `hub:${name}@${commit}`;

  const known = await readComplete(complete);
  if (known !== null) return locate(join(folder, known.commit), known.picked, source(known.commit), options.overrides);
  if (options.offline === true) throw new NotDownloadedError(`model ${id} is not downloaded yet`);

  const hub = new Hub(name, options);
  const commit = await hub.commit(revision);
  const root = join(folder, commit);
  const remote = await hub.list(commit);
  const listing = [...remote.keys()];
  const deciding = layoutFile(listing);
  if (deciding !== null) await hub.download(remote.get(deciding)!, commit, root);
  const all = pickFiles(listing, options.dtype, await readLayout(root, listing));
  const small = [
    all.config,
    all.tokenizer,
    all.tokenizerConfig,
    all.modules,
    all.pooling,
    all.sentenceBert,
    all.sentenceTransformers,
    all.adapter,
    ...all.dense.map(({ config }) => config),
    // How long the vectors of a table are, only the table says.
    ...(all.isStatic ? all.weights : []),
  ];
  const files = locate(root, all, source(commit), options.overrides);
  for (const path of small) if (path !== null) await hub.download(remote.get(path)!, commit, root);

  const { encoder } = await readManifest(files);
  const picked: PickedFiles = encoder === null ? { ...all, weights: [] } : { ...all, onnx: null, onnxData: [] };
  const large = [...picked.weights, ...picked.onnxData, picked.onnx, ...picked.dense.map(({ weights }) => weights)];
  for (const path of large) if (path !== null) await hub.download(remote.get(path)!, commit, root);
  await writeComplete(complete, { commit, picked });
  return locate(root, picked, source(commit), options.overrides);
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

interface Complete {
  readonly commit: string;
  readonly picked: PickedFiles;
}

/** Reads the record of a complete download; null when there is none. */
export async function readComplete(path: string): Promise<Complete | null> {
  const json = await readFile(path, 'utf8').catch(() => null);
  if (json === null) return null;
  const { commit, picked } = JSON.parse(json) as Complete;
  // Records of 0.1.0 say nothing of Dense modules and static models, which were refused.
  return { commit, picked: { ...picked, isStatic: picked.isStatic ?? false, dense: picked.dense ?? [] } };
}

async function writeComplete(path: string, complete: Complete): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.${process.pid}`, JSON.stringify(complete));
  await rename(`${path}.${process.pid}`, path);
}
