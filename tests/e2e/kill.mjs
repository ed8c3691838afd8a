// `npm run kill -- --rounds 20 [--seed S] [--aim A]`: browser or server killed with SIGKILL under constant load, and after each
// restart: is every message whose send() had resolved on the server exactly once and in order, and acknowledged?
//
// `npm run kill -- --catch-up --rounds 50 [--seed S]`: the browser killed while it catches up with thousands of messages that
// it has missed: is what it has stored a beginning without a hole, and does the next start complete it?
import { noneBeside, readArguments } from "../../scripts/lib/arguments.mjs";
import { runMain, Told } from "../../scripts/lib/run.mjs";
import { aims } from "./kill/plan.mjs";
import { parts } from "./parts.mjs";

await runMain(async () => {
  const order = noneBeside(
    readArguments({
      rounds: { type: "string", default: "20", least: 1 },
      seed: { type: "string", default: "1", least: 0 },
      aim: { type: "string" },
      "catch-up": { type: "boolean" },
    }),
  );
  const { rounds, seed, aim, "catch-up": isCatchUp } = order;
  if (isCatchUp && aim !== undefined) throw new Told("--aim belongs to the other run, not to --catch-up");
  if (aim !== undefined && !aims.includes(aim)) {
    throw new Told(`--aim ${aim}: allowed are ${aims.join(", ")}`);
  }
  Object.assign(process.env, await parts());
  // What it imports may just have been installed.
  const violations = isCatchUp
    ? await (await import("./kill/catch-up.mjs")).catchUpRun({ rounds, seed, say: console.log })
    : await (await import("./kill/run.mjs")).killRun({ rounds, seed, aim, say: console.log });
  process.exitCode = violations.length === 0 ? 0 : 1;
});
