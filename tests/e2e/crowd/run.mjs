// A run of rounds with many tabs of one user, with a line for each round and the figures of all at the end.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hangMs, planOf, takeoverBoundsMs } from "./plan.mjs";
import { playRound } from "./round.mjs";
import { Scene } from "./scene.mjs";
import { takeoverOverlapMs } from "./sockets.mjs";

const artifacts = fileURLToPath(new URL("../artifacts", import.meta.url));
const widths = [6, 7, 9, 13, 9, 12, 9, 9];

const line = (...cells) => cells.map((cell, i) => String(cell).padStart(widths[i])).join("");

/** How often each kind must have hit the tab that leads: by chance not in every round, so of few rounds less is asked. */
export function leastHit(rounds) {
  return Math.min(3, Math.floor(rounds / 6));
}

/**
 * @param say prints a line.
 * @returns the violations: of a promise, or of the run itself where it did not see each kind often enough.
 */
export async function crowdRun({ rounds, seed, messages, tabs, kinds, say }) {
  say(
    `${tabs} tabs, ${rounds} rounds, ${messages} messages, seed ${seed}, ${kinds.join(" ")}\n` +
      "sockets: opened in the round; two at once, none: how long, by the server's log; load: until all tabs were there,\n" +
      "settled: after that, until all agreed; kind* N: it hit the tab that led, and another led after N ms",
  );
  say(line("round", "sent", "sockets", "two at once", "none", "violations", "load", "settled"));
  const scene = await Scene.open(tabs);
  const played = [];
  try {
    for (const [index, plan] of planOf({ rounds, seed, messages }).entries()) {
      const result = await playRound(scene, plan, { round: index + 1, kinds });
      played.push(result);
      const { sent, sockets, violations, loadMs, tookMs } = result;
      const times = [`${sockets.overlapMs} ms`, `${sockets.gapMs} ms`];
      const seconds = [loadMs, tookMs - loadMs].map((ms) => `${(ms / 1000).toFixed(1)} s`);
      say(
        line(index + 1, sent, sockets.opened, ...times, violations.length, ...seconds) + told(result.events),
      );
      for (const violation of violations) say(`       ${violation}`);
      if (violations.length > 0) say(`       facts: ${await keep(scene.facts, `tabs-${seed}-${index + 1}`)}`);
    }
  } finally {
    await scene.close();
  }
  return summary(played, { kinds, say });
}

/** `close* 134, crash, open`: what happened, and how many milliseconds it took until another tab led. */
function told(events) {
  const words = events.map(({ kind, wasLeading, takeoverMs }) => {
    if (!wasLeading) return kind;
    return `${kind}* ${takeoverMs === undefined ? "nobody" : takeoverMs.toFixed(0)}`;
  });
  return `  ${words.join(", ")}`;
}

/** What the tabs had told, for the search for the cause. */
async function keep(facts, name) {
  await mkdir(artifacts, { recursive: true });
  const path = join(artifacts, `${name}.json`);
  await writeFile(path, facts.map((fact) => JSON.stringify(fact)).join("\n"));
  return path;
}

function summary(played, { kinds, say }) {
  const violations = played.flatMap((round, index) =>
    round.violations.map((violation) => `round ${index + 1}: ${violation}`),
  );
  const least = leastHit(played.length);
  for (const kind of kinds.filter((kind) => kind in takeoverBoundsMs)) {
    const hits = played.flatMap(({ events }) => events).filter((e) => e.kind === kind && e.wasLeading);
    say(`takeover after ${kind}: ${distribution(hits.map(({ takeoverMs }) => takeoverMs))}`);
    if (hits.length < least) {
      violations.push(`${kind}: hit the leading tab ${hits.length} times, a run needs ${least}`);
    }
  }
  const most = (field, rounds = played) => Math.max(0, ...rounds.map(({ sockets }) => sockets[field]));
  const hasHung = ({ events }) => events.some(({ kind, wasLeading }) => kind === "hang" && wasLeading);
  const [hung, others] = [played.filter(hasHung), played.filter((round) => !hasHung(round))];
  say(`longest with two sockets at once ${most("overlapMs", others)} ms (allowed: ${takeoverOverlapMs})`);
  if (hung.length > 0) {
    say(`beside the socket of a page in a loop ${most("overlapMs", hung)} ms (allowed: ${hangMs})`);
  }
  say(`at most ${most("mostAtOnce")} sockets at once`);
  say(`longest without a socket ${most("gapMs")} ms`);
  say(`${played.reduce((sum, { sent }) => sum + sent, 0)} messages were sent`);
  for (const violation of violations) say(`violation: ${violation}`);
  say(
    violations.length === 0
      ? "one socket, each message once and in order, all tabs agree"
      : "the run has failed",
  );
  return violations;
}

function distribution(times) {
  const known = times.filter((time) => time !== undefined).sort((a, b) => a - b);
  const never = times.length - known.length;
  const of = (at) => `${known[Math.floor((known.length - 1) * at)].toFixed(0)} ms`;
  const span =
    known.length > 0 ? `min ${of(0)}, median ${of(0.5)}, max ${of(1)} (${known.length})` : "never seen";
  return never > 0 ? `${span}; ${never} times nobody took over` : span;
}
