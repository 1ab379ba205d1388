/** A duration in the format of OpenAI's `x-ratelimit-reset-*` headers: `250ms`, `1.5s`, `6m0s`. Rounds up. */
export function resetTime(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.ceil(ms))}ms`;
  if (ms < 60_000) return `${Math.ceil(ms / 100) / 10}s`;
  const seconds = Math.ceil(ms / 1000);
  return `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
