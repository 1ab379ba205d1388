import { BootError, type ModelObject, modelListSchema } from '#contracts';
import { authorization } from '../client.js';

const PATIENCE_MS = 10_000;

/** A deployment to be measured, and one of its models. */
export interface Target {
  /** Without a slash at its end. */
  readonly url: string;
  readonly key: string | undefined;
  readonly model: ModelObject;
}

/**
 * Looks whether a deployment answers and serves a model.
 * @param model absent: the first that is served
 * @throws BootError, one line that says what to do
 */
export async function findTarget(given: string, key: string | undefined, model: string | undefined): Promise<Target> {
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) {
    throw new BootError(`--url ${given} is no address like http://127.0.0.1:8080`);
  }
  const url = given.replace(/\/+$/, '').replace(/\/v1$/, '');
  const models = await readModels(url, key);
  const found = model === undefined ? models[0] : models.find(({ id }) => id === model);
  if (found === undefined) {
    if (models.length === 0) throw new BootError(`${url} serves no model yet: start a worker`);
    throw new BootError(`${url} serves no model "${model}", but ${models.map(({ id }) => id).join(', ')}`);
  }
  if (found.ready_workers === 0) throw new BootError(`no worker of ${found.id} is ready at ${url}: start one`);
  return { url, key, model: found };
}

async function readModels(url: string, key: string | undefined): Promise<ModelObject[]> {
  let response: Response;
  try {
    response = await fetch(`${url}/v1/models`, {
      headers: authorization(key),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch (error) {
    throw new BootError(`nothing answers at ${url} (${reasonOf(error)}); give its address with --url`, {
      cause: error,
    });
  }
  if (response.status === 401 || response.status === 403) {
    throw new BootError(`${url} answers ${response.status}: give a key with --key`);
  }
  const list = modelListSchema.safeParse(await response.json().catch(() => null));
  if (!response.ok || !list.success) throw new BootError(`what answers at ${url} is no Embedmill (${response.status})`);
  return list.data.data;
}

/** `ECONNREFUSED`: fetch itself only says that it failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `not within ${PATIENCE_MS / 1000} s`;
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return cause?.code ?? cause?.message ?? error.message;
}
