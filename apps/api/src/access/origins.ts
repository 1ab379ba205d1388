import type { IncomingHttpHeaders } from 'node:http';

const LOOPBACK_NAME = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/** Whether a `Host` header names the loopback interface. */
export function isLoopbackHost(host: string): boolean {
  return LOOPBACK_NAME.test(host);
}

/**
 * Whether a page of another origin made a browser send this request: by `Sec-Fetch-Site` (Fetch Metadata), or by
 * `Origin` in older browsers. Clients that are not browsers send neither.
 * @param allowed origins of pages that may send requests
 */
export function isOfAnotherSite(headers: IncomingHttpHeaders, allowed: readonly string[]): boolean {
  const { host, origin, 'sec-fetch-site': site } = headers;
  if (origin !== undefined && allowed.includes(origin)) return false;
  if (typeof site === 'string') return site === 'cross-site' || site === 'same-site';
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host;
}
