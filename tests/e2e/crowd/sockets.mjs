// What the server's log of one user's connections says: how long there were two at once, and how long none.

/**
 * Two at once are allowed so long. A tab that dies gives back its lock and its socket by two ways through the browser that
 * do not wait for each other: the next one may be connected before the server has seen the end of the last one's TCP.
 */
export const takeoverOverlapMs = 250;

/**
 * @param connections `[{opened_ms, closed_ms | null}]`
 * @param nowMs by the same clock: what is not closed has lasted until then.
 * @returns `{opened, mostAtOnce, overlapMs, gapMs}`: the longest time with more than one, the longest with none between
 * the first and now.
 */
export function socketsOf(connections, nowMs) {
  const edges = connections.flatMap(({ opened_ms, closed_ms }) => [
    { at: opened_ms, step: 1 },
    // One that ended in its first millisecond has lasted one.
    { at: Math.max(closed_ms ?? nowMs, opened_ms + 1), step: -1 },
  ]);
  // In the same millisecond one ends before the next begins.
  edges.sort((a, b) => a.at - b.at || a.step - b.step);
  const seen = { opened: connections.length, mostAtOnce: 0, overlapMs: 0, gapMs: 0 };
  let live = 0;
  let since = edges[0]?.at ?? nowMs;
  for (const { at, step } of [...edges, { at: nowMs, step: 0 }]) {
    if (live === 0) seen.gapMs = Math.max(seen.gapMs, at - since);
    const next = live + step;
    if (live > 1 && next <= 1) seen.overlapMs = Math.max(seen.overlapMs, at - since);
    if ((live <= 1 && next > 1) || next === 0) since = at;
    live = next;
    seen.mostAtOnce = Math.max(seen.mostAtOnce, live);
  }
  return seen;
}
