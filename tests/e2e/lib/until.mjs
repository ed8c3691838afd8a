// Waiting is for a condition, looked at again and again, never for a time; and it ends, with a word on what was missed.
import { setTimeout } from "node:timers/promises";

const pollMs = 20;

/** The condition did not hold in time. */
export class WaitedInVain extends Error {
  name = "WaitedInVain";
}

/**
 * Resolves with the first truthy value of `look()`, which may be asynchronous.
 * @param what stands in the error, which also says what was seen last: a text, or a function that gives one.
 */
export async function until(what, look, { patienceMs = 30_000 } = {}) {
  const end = performance.now() + patienceMs;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (performance.now() > end) throw await inVain(what, patienceMs);
    await setTimeout(pollMs);
  }
}

/**
 * What `promise` comes to, if it does in time: a page that never answers ends the test with a word on where it stood.
 * @param what as in `until`.
 */
export async function inTime(what, promise, { patienceMs = 60_000 } = {}) {
  const done = new AbortController();
  const late = setTimeout(patienceMs, undefined, { signal: done.signal }).then(async () => {
    throw await inVain(what, patienceMs);
  });
  // Ended by us it rejects, too.
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    done.abort();
  }
}

async function inVain(what, patienceMs) {
  const text = typeof what === "function" ? await what() : what;
  return new WaitedInVain(`waited ${patienceMs} ms for ${text}`);
}
