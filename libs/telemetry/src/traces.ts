import { tracesOn } from '#config';
import type { Environment } from '#config';
import { within } from '#contracts';

/** Longest that the last spans are waited for, ms. */
const FLUSH_MS = 2000;

/** A process's traces. */
export interface Traces {
  /** Sends what is left, for two seconds at most. Never throws. */
  stop(): Promise<void>;
}

/**
 * Sends spans by OTLP over HTTP, if the environment says where to; else not even the SDK is loaded.
 * @param warn told what went wrong with sending, once a minute at most
 */
export async function startTraces(
  service: 'api' | 'worker',
  environment: Environment,
  warn: (message: string) => void,
): Promise<Traces> {
  if (!tracesOn(environment)) return { stop: () => Promise.resolve() };
  const { startSdk } = await import('./sdk.js');
  const sdk = startSdk(`embedmill-${service}`, warn);
  return {
    async stop() {
      await within(FLUSH_MS, sdk.shutdown()).catch(() => undefined);
    },
  };
}
