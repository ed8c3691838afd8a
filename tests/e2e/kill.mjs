// `npm run kill -- --rounds 20 [--seed S] [--aim A]`: browser or server killed with SIGKILL under constant load, and after each
// restart: is every message whose send() had resolved on the server exactly once and in order, and acknowledged?
//
// `npm run kill -- --catch-up --rounds 50 [--seed S]`: the browser killed while it catches up with thousands of messages that
// it has missed: is what it has stored a beginning without a hole, and does the next start complete it?
//
// `npm run kill -- --profile companion --rounds 20 [--seed S]`: one of the small wires at a server in memory, browser or server
// ended at random: does each message meet the fate that its wire promises?
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
      profile: { type: "string" },
    }),
  );
  const { rounds, seed, aim, "catch-up": isCatchUp, profile } = order;
  if ([isCatchUp, aim, profile].filter((one) => one !== undefined).length > 1) {
    throw new Told("--aim, --catch-up and --profile belong to different runs");
  }
  if (aim !== undefined && !aims.includes(aim)) {
    throw new Told(`--aim ${aim}: allowed are ${aims.join(", ")}`);
  }
  if (profile !== undefined && !["companion", "channels"].includes(profile)) {
    throw new Told(`--profile ${profile}: allowed are companion, channels`);
  }
  Object.assign(process.env, await parts());
  // What it imports may just have been installed.
  const violations = await runOf({ rounds, seed, aim, isCatchUp, profile, say: console.log });
  process.exitCode = violations.length === 0 ? 0 : 1;
});

async function runOf({ isCatchUp, profile, aim, ...rest }) {
  if (isCatchUp) return (await import("./kill/catch-up.mjs")).catchUpRun(rest);
  if (profile !== undefined) return (await import("./kill/wires.mjs")).wiresRun({ profile, ...rest });
  return (await import("./kill/run.mjs")).killRun({ aim, ...rest });
}
