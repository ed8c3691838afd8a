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
    if (performance.now() > end) {
      const text = typeof what === "function" ? await what() : what;
      throw new WaitedInVain(`waited ${patienceMs} ms for ${text}`);
    }
    await setTimeout(pollMs);
  }
}
