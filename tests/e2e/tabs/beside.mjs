// `npm run beside [-- --tabs 10 --messages 200 --runs 3]`: what that many tabs of one user cost, with chatwire and with plain
// socket.io-client, against the same server. One table; each figure is the median of the runs.
import { noneBeside, readArguments } from "../../../scripts/lib/arguments.mjs";
import { runMain } from "../../../scripts/lib/run.mjs";
import { parts } from "../parts.mjs";

await runMain(async () => {
  const count = (given) => ({ type: "string", default: given, least: 1 });
  const order = noneBeside(readArguments({ tabs: count("10"), messages: count("200"), runs: count("3") }));
  Object.assign(process.env, await parts());
  // What it imports may just have been installed.
  const { besideRun } = await import("./beside-run.mjs");
  await besideRun(order);
});
