// A run of kill rounds, with a line for each round and one for all.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { planOf } from "./plan.mjs";
import { playRound } from "./round.mjs";
import { Scene } from "./scene.mjs";
import { wires } from "./wires.mjs";

const kinds = { unsent: "saved, unsent", inFlight: "in flight", uncommitted: "answered, uncommitted" };
/** In how many rounds each kind must have been seen: by chance not in every one, so of few rounds less is asked. */
export function leastSeen(rounds) {
  return Math.min(3, Math.floor(rounds / 6));
}
const artifacts = fileURLToPath(new URL("../artifacts", import.meta.url));
const widths = [6, 9, 9, 14, 7, 15, 11, 23, 8, 12, 13, 12, 8];

const line = (...cells) => cells.map((cell, i) => String(cell).padStart(widths[i])).join("");

/**
 * @param profile names the wire (wires.mjs); `aim`: only rounds that are aimed so. `say` prints a line.
 * @returns the violations: of a promise, or of the run itself where it did not see each kind often enough.
 */
export async function killRun({ profile = "team", rounds, seed, aim, say }) {
  const plan = planOf(wires[profile], rounds, seed, aim);
  const scene = await Scene.open(profile, wires[profile]);
  const played = [];
  say(
    `${rounds} rounds of ${profile}, seed ${seed}; counts of messages at the kill, and of what became of them`,
  );
  const became = ["stored", "left, lost", "unconfirmed"];
  const names = [...Object.values(kinds), ...became];
  say(line("round", "server", "killed", "aimed at", "saved", ...names, "violations", "time"));
  try {
    for (const [index, entry] of plan.entries()) {
      const result = { ...entry, ...(await playRound(scene, entry, index + 1)) };
      played.push(result);
      tell(result, index + 1, say);
      if (result.violations.length === 0) continue;
      say(`       journal: ${await keep(result.journal, `kill-${profile}-${seed}-${index + 1}`)}`);
    }
  } finally {
    await scene.close();
  }
  return summary(played, say);
}

function tell(result, round, say) {
  const { variant, victim, aim, sent, unsent, inFlight, uncommitted, fates, violations, tookMs } = result;
  const counts = [unsent, inFlight, uncommitted, fates.stored, fates.lost, fates.unconfirmed];
  const time = `${(tookMs / 1000).toFixed(1)} s`;
  say(line(round, variant.name, victim, aim, sent, ...counts, violations.length, time));
  for (const violation of violations) say(`       ${violation}`);
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
    const where = played.filter(({ variant }) => variant.fate.met.includes(kind));
    if (where.length === 0) continue;
    const sum = where.reduce((sum, round) => sum + round[kind], 0);
    const hit = where.filter((round) => round[kind] > 0).length;
    totals.push(`${name} ${sum} (${hit} rounds)`);
    if (hit < leastSeen(where.length))
      violations.push(
        `${name}: seen in ${hit} rounds, a run needs ${leastSeen(where.length)}: it has not shown much`,
      );
  }
  if (least === 0) say("fewer than 6 rounds: a run this short shows little, and no kind is asked for");
  const sent = played.reduce((sum, round) => sum + round.sent, 0);
  say(`${sent} messages were saved; at the kills ${totals.join(", ")}`);
  for (const violation of violations) say(`violation: ${violation}`);
  say(violations.length === 0 ? "every message has met the fate that is promised" : "the run has failed");
  return violations;
}
