// `npm run kill -- --rounds 20 [--seed S] [--aim A]`: browser or server killed with SIGKILL under constant load, and after each
// restart: is every message whose send() had resolved on the server exactly once and in order, and acknowledged?
import { noneBeside, readArguments } from "../../scripts/lib/arguments.mjs";
import { runMain, Told } from "../../scripts/lib/run.mjs";
import { aims } from "./kill/plan.mjs";
import { parts } from "./parts.mjs";

await runMain(async () => {
  const { rounds, seed, aim } = noneBeside(
    readArguments({
      rounds: { type: "string", default: "20", least: 1 },
      seed: { type: "string", default: "1", least: 0 },
      aim: { type: "string" },
    }),
  );
  if (aim !== undefined && !aims.includes(aim)) {
    throw new Told(`--aim ${aim}: allowed are ${aims.join(", ")}`);
  }
  Object.assign(process.env, await parts());
  // What it imports may just have been installed.
  const { killRun } = await import("./kill/run.mjs");
  const violations = await killRun({ rounds, seed, aim, say: console.log });
  process.exitCode = violations.length === 0 ? 0 : 1;
});
