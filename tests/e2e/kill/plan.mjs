// Which round kills what, and when: all of it follows from the seed.

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

/** mulberry32: numbers from 0 to 1, the same for the same seed. */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const aims = [...new Set(cycle.map(({ aim }) => aim))];
