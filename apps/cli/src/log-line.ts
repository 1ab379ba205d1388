/** pino's log levels. */
const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** Members not shown as `key=value`: they are shown in another way, or are of no use on a single machine. */
const OMITTED = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'err', 'name', 'service', 'v']);

/**
 * Formats a JSON log line for people: `12:00:01 warn cache is gone  url=redis://…`. Returns any other line unchanged.
 */
export function readable(line: string): string {
  if (!line.startsWith('{')) return line;
  let record: Record<string, unknown>;
  try {
    record = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const { level, time, msg, err } = record;
  if (typeof level !== 'number') return line;
  const words = [typeof time === 'number' || typeof time === 'string' ? new Date(time).toTimeString().slice(0, 8) : ''];
  if (level !== 30) words.push(LEVELS[level] ?? String(level));
  words.push(typeof msg === 'string' ? msg : '');
  const details = Object.entries(record)
    .filter(([key, value]) => !OMITTED.has(key) && (typeof value !== 'object' || value === null))
    .map(([key, value]) => `${key}=${String(value)}`);
  const message = typeof err === 'object' && err !== null && 'message' in err ? String(err.message) : '';
  if (message !== '' && message !== msg) details.push(`error=${message}`);
  return [...words.filter((word) => word !== ''), ...(details.length > 0 ? ['', details.join(' ')] : [])].join(' ');
}
