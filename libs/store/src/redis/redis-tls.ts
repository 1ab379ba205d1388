import { readFileSync } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';
import type { Environment } from '#config';
import { BootError } from '#contracts';

/**
 * TLS options for `rediss` URLs; without a configured certificate authority, Node's own apply.
 * @throws BootError when a file cannot be read
 */
export function readRedisTls(
  environment: Pick<Environment, 'EMBED_REDIS_TLS_CA' | 'EMBED_REDIS_TLS_CERT' | 'EMBED_REDIS_TLS_KEY'>,
): SecureContextOptions {
  const read = (variable: keyof typeof environment) => {
    const path = environment[variable];
    if (path === undefined) return undefined;
    try {
      return readFileSync(path);
    } catch (error) {
      throw new BootError(`${variable}=${path}: ${(error as Error).message}`);
    }
  };
  const ca = read('EMBED_REDIS_TLS_CA');
  const cert = read('EMBED_REDIS_TLS_CERT');
  const key = read('EMBED_REDIS_TLS_KEY');
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}
