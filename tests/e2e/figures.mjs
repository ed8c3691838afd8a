// `npm run figures [-- --messages 100000,1000000 --conversations 200 --rounds 5]`: what a start costs with so many messages in
// the store, beside a bare read of the same records; loading earlier ones, jumping into the middle, memory, bytes on disk.
//
// Each measurement is a fresh browser that nothing is attached to. docs/performance.md has the tables.
import { noneBeside, readArguments } from "../../scripts/lib/arguments.mjs";
import { runMain, Told } from "../../scripts/lib/run.mjs";
import { parts } from "./parts.mjs";

await runMain(async () => {
  const { messages, conversations, rounds } = noneBeside(
    readArguments({
      messages: { type: "string", default: "100000,1000000" },
      conversations: { type: "string", default: "200", least: 1 },
      rounds: { type: "string", default: "5", least: 1 },
    }),
  );
  const sizes = messages.split(",").map(Number);
  if (sizes.some((size) => !Number.isSafeInteger(size) || size < conversations)) {
    throw new Told(`--messages ${messages}: numbers, one message a conversation at least`);
  }
  Object.assign(process.env, await parts());
  // What it imports may just have been installed.
  const { figuresRun } = await import("./figures/run.mjs");
  await figuresRun({ sizes, conversations, rounds, say: console.log });
});
