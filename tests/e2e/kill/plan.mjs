// Which round kills what, and when: all of it follows from the seed.
import { randomOf } from "../lib/random.mjs";

/** How a round is aimed. `random` is a moment of the clock; the others wait for the situation that they are named after. */
const cycle = [
  { victim: "browser", aim: "answered" },
  { victim: "browser", aim: "in flight" },
  { victim: "server", aim: "after answer" },
  { victim: "browser", aim: "saved" },
  { victim: "browser", aim: "answered" },
  { victim: "both", aim: "answered" },
  { victim: "server", aim: "random" },
  { victim: "browser", aim: "random" },
  { victim: "server", aim: "after store" },
  { victim: "both", aim: "random" },
  { victim: "server", aim: "before store" },
];

/**
 * @param aim only rounds that are aimed at this.
 * @returns one entry a round: `{victim, aim, random()}`, each with numbers of its own.
 */
export function planOf(rounds, seed, aim) {
  const entries = cycle.filter((entry) => aim === undefined || entry.aim === aim);
  return Array.from({ length: rounds }, (_, index) => ({
    ...entries[index % entries.length],
    random: randomOf(seed * 7919 + index),
  }));
}

export const aims = [...new Set(cycle.map(({ aim }) => aim))];
