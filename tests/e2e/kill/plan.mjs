// Which round kills what, and when: all of it follows from the seed.
import { randomOf } from "../lib/random.mjs";

/** How a round is aimed. `random` is a moment of the clock; the others wait for the situation that they are named after. */
const cycle = [
  { victim: "browser", aim: "answered" },
  { victim: "browser", aim: "left" },
  { victim: "browser", aim: "in flight" },
  { victim: "server", aim: "after answer" },
  { victim: "browser", aim: "saved" },
  { victim: "browser", aim: "answered" },
  { victim: "both", aim: "answered" },
  { victim: "both", aim: "left" },
  { victim: "server", aim: "random" },
  { victim: "browser", aim: "random" },
  { victim: "server", aim: "after store" },
  { victim: "both", aim: "random" },
  { victim: "server", aim: "before store" },
];

/** So that a run that does not come round for any variant has aimed at everything all the same. */
const stride = 4;

/** How rounds of a wire can be aimed. */
export const aimsOf = (wire) => [...new Set(wire.variants.flatMap(({ fate }) => fate.aims))];

/**
 * @param wire one of wires.mjs; its variants take turns, each with a cycle of its own that it enters at another place.
 * @param aim only rounds that are aimed at this.
 * @returns one entry a round: `{variant, victim, aim, random()}`, each with numbers of its own; none where nothing fits.
 */
export function planOf(wire, rounds, seed, aim) {
  const turns = wire.variants
    .map((variant) => ({
      variant,
      entries: cycle.filter(
        (entry) => variant.fate.aims.includes(entry.aim) && (aim ?? entry.aim) === entry.aim,
      ),
    }))
    .filter(({ entries }) => entries.length > 0);
  if (turns.length === 0) return [];
  return Array.from({ length: rounds }, (_, index) => {
    const turn = index % turns.length;
    const { variant, entries } = turns[turn];
    const entry = entries[(Math.floor(index / turns.length) + stride * turn) % entries.length];
    return { variant, ...entry, random: randomOf(seed * 7919 + index) };
  });
}
