import { type Environment, unknownVariables } from '#config';
import { BootError } from '#contracts';
import { nativeMissing } from '#model';
import { agreeOnSchema } from '#store';
import { startTraces } from '#telemetry';
import { createApi, createLog } from './create-api.js';
import { createServices, type ServicesOptions } from './services.js';
import { shutDown } from './shut-down.js';

/** Runs the API in this process until SIGTERM or SIGINT. @throws BootError when it cannot start */
export async function runApi(environment: Environment, options: ServicesOptions = {}): Promise<void> {
  const log = createLog(environment);
  for (const warning of unknownVariables()) log.warn(warning);
  const missing = await nativeMissing();
  if (missing !== null) log.warn(`${missing}: \`truncate: error\` uses a slower one, for some models none`);
  const services = createServices(environment, log, options);
  const traces = await startTraces('api', environment, (message) => log.warn(message));
  await services.connections.ready(services.redisPatienceMs);
  await agreeOnSchema(services.connections.command, services.keys);
  const app = await createApi(services);
  services.sampler.start();
  try {
    await app.listen(environment.EMBED_PORT, environment.EMBED_HOST);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new BootError(`EMBED_PORT=${environment.EMBED_PORT} is taken on ${environment.EMBED_HOST}: choose another`);
  }
  console.log(`embedmill api listening on ${await app.getUrl()}`);

  let ending = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (ending) process.exit(1);
      ending = true;
      void shutDown(app, services, traces).then(() => process.exit(0));
    });
  }
}
