import { readEnvironment } from '#config';
import { BootError } from '#contracts';
import { runApi } from './run-api.js';

try {
  await runApi(readEnvironment());
} catch (error) {
  const text = error instanceof BootError ? error.message : error instanceof Error ? error.stack : String(error);
  console.error(`embedmill api: ${text}`);
  process.exit(1);
}
