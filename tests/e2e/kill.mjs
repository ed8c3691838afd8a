// `npm run kill -- --rounds 20 [--seed S]`: browser or server killed with SIGKILL under constant load, and after each
// restart: is every message whose send() had resolved on the server exactly once and in order, and acknowledged?
import { parseArgs } from "node:util";
import { runMain, Told } from "../../scripts/lib/run.mjs";
import { killRun } from "./kill/run.mjs";
import { parts } from "./parts.mjs";

await runMain(async () => {
  const { values } = parseArgs({
    options: { rounds: { type: "string", default: "20" }, seed: { type: "string", default: "1" } },
  });
  const rounds = whole("rounds", values.rounds, 1);
  const seed = whole("seed", values.seed, 0);
  Object.assign(process.env, await parts());
  const violations = await killRun({ rounds, seed, say: console.log });
  process.exitCode = violations.length === 0 ? 0 : 1;
});

function whole(name, text, least) {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) {
    throw new Told(`--${name} ${text}: allowed are whole numbers from ${least}`);
  }
  return value;
}
