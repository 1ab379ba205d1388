import { BootError, readEnvironment } from '#contracts';
import { startTraces } from '#telemetry';
import { createApi } from './create-api.js';
import { Connections } from './redis.module.js';
import { shutDown } from './shut-down.js';

async function main(): Promise<void> {
  const environment = readEnvironment();
  const app = await createApi(environment);
  const log = app.getHttpAdapter().getInstance().log;
  const traces = await startTraces('api', environment, (message) => log.warn(message));
  await app.get(Connections).ready(environment.EMBED_REDIS_PATIENCE_MS);
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
      void shutDown(app, traces).then(() => process.exit(0));
    });
  }
}

main().catch((error: unknown) => {
  const text = error instanceof BootError ? error.message : error instanceof Error ? error.stack : String(error);
  console.error(`embedmill api: ${text}`);
  process.exit(1);
});
