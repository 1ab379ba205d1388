import type { Environment } from '#config';
import { VERSION, type WorkerRecord } from '#contracts';
import { type Check, fail, ok, warn } from './check.js';

/** Checks the workers that are alive. */
export function judgeWorkers(
  workers: readonly WorkerRecord[],
  environment: Pick<Environment, 'EMBED_MODELS'>,
): Check[] {
  if (workers.length === 0) return [warn('workers', 'none', 'start one: what is accepted waits until then')];
  const others = workers.filter(({ version }) => version !== VERSION);
  const unfit = workers.filter(({ state }) => state === 'unfit');
  const idle = withoutWorker(workers, environment);
  return [
    ok('workers', workers.map(({ device, host, state }) => `${host} (${device}, ${state})`).join(', ')),
    ...(others.length === 0
      ? []
      : [
          warn(
            'workers: version',
            others.map(({ host, version }) => `${host} runs ${version}`).join(', '),
            `bring all to one version; this is ${VERSION}`,
          ),
        ]),
    ...unfit.map(({ host, reason }) =>
      fail(
        'workers: fitness',
        `${host}: ${reason ?? 'unfit'}`,
        'restart it; if that does not help, look at its device',
      ),
    ),
    ...idle.map((name) =>
      warn('workers: models', `no worker is ready for ${name}`, 'start one with the same EMBED_MODELS'),
    ),
  ];
}

/** Names of the served models for which no worker is ready. */
function withoutWorker(
  workers: readonly WorkerRecord[],
  { EMBED_MODELS }: Pick<Environment, 'EMBED_MODELS'>,
): string[] {
  const ready = workers.filter(({ state }) => state === 'ready');
  return EMBED_MODELS.map(({ name }) => name).filter((name) => ready.every(({ models }) => !(name in models)));
}
