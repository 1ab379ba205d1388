import type { Environment } from './environment.js';

/** Whether API keys are required, and the reason, for the log. */
export function accessControl({ EMBED_AUTH: auth, EMBED_HOST: host }: Environment): {
  readonly on: boolean;
  readonly loopback: boolean;
  readonly why: string;
} {
  const loopback = host === 'localhost' || host === '::1' || host.startsWith('127.');
  if (auth !== 'auto') return { on: auth === 'on', loopback, why: `EMBED_AUTH=${auth}` };
  const why = `EMBED_HOST=${host} is ${loopback ? '' : 'not '}loopback only`;
  return { on: !loopback, loopback, why };
}
