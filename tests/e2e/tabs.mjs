// `npm run tabs -- --rounds 30 [--seed S] [--messages M] [--tabs T] [--kinds close,crash,…]`: ten tabs of one user that are
// opened, closed, crashed, frozen, hidden and held up in a loop while they send. Is there one socket, is each message on
// the server once and in order, and do all tabs agree? `--messages` is of the whole run.
import { noneBeside, readArguments } from "../../scripts/lib/arguments.mjs";
import { runMain } from "../../scripts/lib/run.mjs";
import { kinds } from "./crowd/plan.mjs";
import { parts } from "./parts.mjs";

await runMain(async () => {
  const order = noneBeside(
    readArguments({
      rounds: { type: "string", default: "30", least: 1 },
      seed: { type: "string", default: "1", least: 0 },
      messages: { type: "string", default: "1000", least: 1 },
      tabs: { type: "string", default: "10", least: 2 },
      kinds: { type: "string", default: kinds.join(","), among: kinds },
    }),
  );
  Object.assign(process.env, await parts());
  // What it imports may just have been installed.
  const { crowdRun } = await import("./crowd/run.mjs");
  const violations = await crowdRun({ ...order, say: console.log });
  process.exitCode = violations.length === 0 ? 0 : 1;
});
