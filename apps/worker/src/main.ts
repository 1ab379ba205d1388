import { readEnvironment } from '#config';
import { BootError } from '#contracts';
import { runWorker } from './run-worker.js';

try {
  await runWorker(readEnvironment());
} catch (error) {
  const text = error instanceof BootError ? error.message : error instanceof Error ? error.stack : String(error);
  console.error(`embedmill worker: ${text}`);
  process.exit(1);
}
