// What happens to the tabs of a round, as far as the seed says it: chances, not moments of the clock.
import { randomOf } from "../lib/random.mjs";

/** `freeze` thaws, too; `hide` brings another tab to the front; a tab that hangs runs in a loop, without a word before. */
export const kinds = ["open", "close", "crash", "freeze", "hide", "hang"];

/** Longer than it takes to steal the lead from a page that does not answer. */
export const hangMs = 15_000;

/** Kinds after which another tab must lead, where they hit the tab that leads: by when, in milliseconds. */
export const takeoverBoundsMs = { close: 2_000, crash: 2_000, freeze: 2_000, hang: 10_000 };

/** With fewer awake, none is taken away: somebody is always there to take over. */
const leastAwake = 3;
const mostFrozen = 3;
/** How often the one that leads is hit, rather than any. */
const atLeader = 0.5;

const eventsPerRound = 6;

/** @returns one entry a round: `{events, messages, moments(), words(), ben()}`, chances for what happens and for what is sent. */
export function planOf({ rounds, seed, messages }) {
  return Array.from({ length: rounds }, (_, index) => ({
    events: eventsPerRound,
    // As many as are asked for in all, however they divide.
    messages: Math.floor((messages * (index + 1)) / rounds) - Math.floor((messages * index) / rounds),
    moments: randomOf(seed * 7919 + index * 3),
    words: randomOf(seed * 7919 + index * 3 + 1),
    ben: randomOf(seed * 7919 + index * 3 + 2),
  }));
}

export function oneOf(random, list) {
  return list[Math.floor(random() * list.length)];
}

/**
 * What happens next, and to which tab.
 * @param crowd `{awake, frozen, hung, leader, capacity}`
 * @returns `{kind, tab}`; undefined where nothing that was chosen can happen.
 */
export function nextEvent(random, crowd, chosen) {
  const { awake, frozen, hung = [], leader, capacity } = crowd;
  const count = awake.length + frozen.length + hung.length;
  const maySleep = awake.length > leastAwake;
  const possible = chosen.flatMap((kind) => {
    if (kind === "open") return count < capacity ? ["open"] : [];
    if (kind === "freeze") {
      const thaw = frozen.length > 0 ? ["thaw"] : [];
      return maySleep && frozen.length < mostFrozen ? ["freeze", ...thaw] : thaw;
    }
    // Each takes its time, and what matters of it is what becomes of the lead.
    if (kind === "hang") return maySleep && leader && hung.length === 0 ? ["hang"] : [];
    if (kind === "hide") return awake.length > 1 ? ["hide"] : [];
    return maySleep ? [kind] : [];
  });
  if (possible.length === 0) return undefined;
  const kind = oneOf(random, possible);
  if (kind === "open") return { kind };
  if (kind === "thaw") return { kind, tab: oneOf(random, frozen) };
  if (kind === "hide") return { kind, tab: oneOf(random, awake) };
  if (kind === "hang") return { kind, tab: leader };
  if (leader && random() < atLeader) return { kind, tab: leader };
  return { kind, tab: oneOf(random, kind === "freeze" ? awake : [...awake, ...frozen]) };
}
