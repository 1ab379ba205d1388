/**
 * How far a key is over what it may have waiting, where several share a limit. A key that has less than its share, the
 * limit divided by the keys that wait, is let in however much the others have: nobody fills the queue for others. While
 * nothing waits at all, anything is let in.
 * @param byKey what waits, by key
 * @param asked how much more the key wants
 * @returns by how much all would be over the limit; 0 when the key may have it
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
