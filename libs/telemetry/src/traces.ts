import { tracesOn } from '#config';
import type { Environment } from '#config';
import { within } from '#contracts';

/** Time limit for sending the last spans, ms. */
const FLUSH_MS = 2000;

/** Handle to stop a process's traces. */
export interface Traces {
  /** Sends the remaining spans, for at most 2 s. Never rejects. */
  stop(): Promise<void>;
}

/**
 * Exports spans by OTLP over HTTP if the environment sets an endpoint; else the SDK is not even loaded.
 * @param warn called with export errors, at most once a minute
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
