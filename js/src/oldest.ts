/** Of entries that are remembered, `max` at most: the one that was put there first is forgotten. */
export function forgetOldest<Key>(entries: Map<Key, unknown> | Set<Key>, max: number): void {
  const [oldest] = entries.keys();
  if (entries.size > max && oldest !== undefined) entries.delete(oldest);
}
