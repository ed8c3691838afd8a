// `npm run tabs -- --rounds 30 [--seed S] [--messages M] [--tabs T] [--kinds close,crash,…]`: ten tabs of one user that are
// opened, closed, crashed, frozen and hidden while they send. Is there one socket, is each message on the server once and
// in order, and do all tabs agree? `--messages` is of the whole run.
import { parseArgs } from "node:util";
import { runMain, Told } from "../../scripts/lib/run.mjs";
import { kinds } from "./crowd/plan.mjs";
import { crowdRun } from "./crowd/run.mjs";
import { whole } from "./lib/arguments.mjs";
import { parts } from "./parts.mjs";

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "30" },
      seed: { type: "string", default: "1" },
      messages: { type: "string", default: "1000" },
      tabs: { type: "string", default: "10" },
      kinds: { type: "string", default: kinds.join(",") },
    },
  });
  const chosen = values.kinds.split(",");
  const unknown = chosen.filter((kind) => !kinds.includes(kind));
  if (unknown.length > 0) throw new Told(`--kinds ${unknown.join(",")}: allowed are ${kinds.join(", ")}`);
  const numbers = {
    rounds: whole("rounds", values.rounds, 1),
    seed: whole("seed", values.seed, 0),
    messages: whole("messages", values.messages, 1),
    tabs: whole("tabs", values.tabs, 2),
  };
  Object.assign(process.env, await parts());
  const violations = await crowdRun({ ...numbers, kinds: chosen, say: console.log });
  process.exitCode = violations.length === 0 ? 0 : 1;
});
