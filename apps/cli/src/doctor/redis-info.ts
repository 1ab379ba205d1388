/** Value by field name, from the `INFO` reply of a Redis or Valkey server. */
export type RedisInfo = ReadonlyMap<string, string>;

export function parseRedisInfo(text: string): RedisInfo {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const cut = line.indexOf(':');
    if (cut > 0 && !line.startsWith('#')) fields.set(line.slice(0, cut), line.slice(cut + 1));
  }
  return fields;
}
