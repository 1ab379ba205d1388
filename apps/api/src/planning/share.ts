/**
 * Admission with a limit that API keys share evenly. A key's share is the limit divided by the number of keys that have
 * something waiting, itself included. A key within its share is admitted however much the others have waiting, so that
 * no key can fill the queue for the others. While nothing waits, a request of any size is admitted.
 * @param byKey amount waiting, by key
 * @param asked additional amount that the key asks for
 * @returns by how much the total would exceed the limit; 0 when the key is admitted
 */
export function excessOf(limit: number, byKey: ReadonlyMap<string, number>, key: string, asked: number): number {
  let all = 0;
  let others = 0;
  for (const [one, waiting] of byKey) {
    all += waiting;
    if (one !== key && waiting > 0) others++;
  }
  const own = byKey.get(key) ?? 0;
  const withinShare = others > 0 && own + asked <= limit / (others + 1);
  return all === 0 || withinShare ? 0 : Math.max(0, all + asked - limit);
}
