import type { IncomingHttpHeaders } from 'node:http';

const LOOPBACK_NAME = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/** Whether a `Host` header names this machine as only itself would. */
export function isLoopbackHost(host: string): boolean {
  return LOOPBACK_NAME.test(host);
}

/**
 * Whether a browser says that a page of another site made it ask (Fetch Metadata, and `Origin` of older ones).
 * Programs that are no browsers say nothing of the kind.
 * @param allowed origins of pages that may
 */
export function isOfAnotherSite(headers: IncomingHttpHeaders, allowed: readonly string[]): boolean {
  const { host, origin, 'sec-fetch-site': site } = headers;
  if (origin !== undefined && allowed.includes(origin)) return false;
  if (typeof site === 'string') return site === 'cross-site' || site === 'same-site';
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}
