// A run of kill rounds, with a line for each round and one for all.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { planOf } from "./plan.mjs";
import { playRound } from "./round.mjs";
import { Scene } from "./scene.mjs";

const kinds = { unsent: "saved, unsent", inFlight: "in flight", uncommitted: "answered, uncommitted" };
/** In how many rounds each kind must have been seen: by chance not in every one, so of few rounds less is asked. */
export function leastSeen(rounds) {
  return Math.min(3, Math.floor(rounds / 6));
}
const artifacts = fileURLToPath(new URL("../artifacts", import.meta.url));
const widths = [6, 9, 14, 7, 15, 11, 23, 12, 8];

const line = (...cells) => cells.map((cell, i) => String(cell).padStart(widths[i])).join("");

/**
 * @param say prints a line.
 * @returns the violations: of a promise, or of the run itself where it did not see each kind often enough.
 */
export async function killRun({ rounds, seed, aim, say }) {
  const scene = await Scene.open();
  const played = [];
  say(`${rounds} rounds, seed ${seed}; counts of messages at the kill`);
  say(line("round", "killed", "aimed at", "saved", ...Object.values(kinds), "violations", "time"));
  try {
    for (const [index, entry] of planOf(rounds, seed, aim).entries()) {
      const result = await playRound(scene, entry, index + 1);
      played.push(result);
      const { victim, journal, sent, unsent, inFlight, uncommitted, violations, tookMs } = result;
      const time = `${(tookMs / 1000).toFixed(1)} s`;
      say(line(index + 1, victim, entry.aim, sent, unsent, inFlight, uncommitted, violations.length, time));
      for (const violation of violations) say(`       ${violation}`);
      if (violations.length > 0) say(`       journal: ${await keep(journal, `kill-${seed}-${index + 1}`)}`);
    }
  } finally {
    await scene.close();
  }
  return summary(played, say);
}

/** What the page had told, for the search for the cause. */
async function keep(journal, name) {
  await mkdir(artifacts, { recursive: true });
  const path = join(artifacts, `${name}.json`);
  await writeFile(path, journal.facts.map((fact) => JSON.stringify(fact)).join("\n"));
  return path;
}

function summary(played, say) {
  const violations = played.flatMap((round) => round.violations);
  const totals = [];
  const least = leastSeen(played.length);
  for (const [kind, name] of Object.entries(kinds)) {
    const sum = played.reduce((sum, round) => sum + round[kind], 0);
    const hit = played.filter((round) => round[kind] > 0).length;
    totals.push(`${name} ${sum} (${hit} rounds)`);
    if (hit < least)
      violations.push(`${name}: seen in ${hit} rounds, a run needs ${least}: it has not shown much`);
  }
  if (least === 0) say("fewer than 6 rounds: a run this short shows little, and no kind is asked for");
  const sent = played.reduce((sum, round) => sum + round.sent, 0);
  say(`${sent} messages were saved; at the kills ${totals.join(", ")}`);
  for (const violation of violations) say(`violation: ${violation}`);
  say(violations.length === 0 ? "every saved message is there once and in order" : "the run has failed");
  return violations;
}
