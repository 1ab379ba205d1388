import { tracesOn } from '#config';
import type { Environment } from '#config';

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
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, FLUSH_MS);
      });
      await Promise.race([sdk.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
    },
  };
}
