// `npm run kill -- --rounds 20 [--profile team] [--seed S] [--aim A]`: browser or server killed with SIGKILL under constant load
// on one of the wires (team, phoenix, channels, companion, assistant), with all that our backend offers there and without it in
// turn. After each restart: has every message whose send() had resolved met the fate that its wire promises? Where keys are
// kept and sends are answered it is on the server exactly once and in order, and acknowledged; else it is there once at most,
// and one that is not has left the page or says of itself that nobody knows.
//
// `npm run kill -- --catch-up --rounds 50 [--seed S]`: the browser killed while it catches up with thousands of messages that
// it has missed: is what it has stored a beginning without a hole, and does the next start complete it?
import { noneBeside, readArguments } from "../../scripts/lib/arguments.mjs";
import { runMain, Told } from "../../scripts/lib/run.mjs";
import { aimsOf } from "./kill/plan.mjs";
import { wires } from "./kill/wires.mjs";
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
  const { "catch-up": isCatchUp, ...rest } = order;
  if (isCatchUp && (rest.aim ?? rest.profile) !== undefined) {
    throw new Told("--catch-up belongs to another run than --aim and --profile");
  }
  if (!isCatchUp) check(rest);
  Object.assign(process.env, await parts());
  // What they import may just have been installed.
  const run = isCatchUp
    ? (await import("./kill/catch-up.mjs")).catchUpRun
    : (await import("./kill/run.mjs")).killRun;
  const violations = await run({ ...rest, say: console.log });
  process.exitCode = violations.length === 0 ? 0 : 1;
});

function check({ profile = "team", aim }) {
  if (!Object.hasOwn(wires, profile)) {
    throw new Told(`--profile ${profile}: allowed are ${Object.keys(wires).join(", ")}`);
  }
  const aims = aimsOf(wires[profile]);
  if (aim !== undefined && !aims.includes(aim))
    throw new Told(`--aim ${aim}: allowed are ${aims.join(", ")}`);
}
