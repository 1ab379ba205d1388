import { readFileSync } from 'node:fs';

/** Embedmill's version, from its package.json, four folders above the compiled file. */
export const VERSION = (
  JSON.parse(readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
