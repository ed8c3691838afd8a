// `npm run bench [-- --quick --rounds 7 --works W1,W2 --json FILE --write-docs]`: chatwire beside other ways to build the same,
// against the same server; docs/performance.md says what is measured. `--quick` takes fewer messages and three rounds.
//
// Each visit is a fresh browser that nothing is attached to; whoever has not all messages after a reload does not count.
import { writeFile } from "node:fs/promises";
import { noneBeside, readArguments } from "../../scripts/lib/arguments.mjs";
import { runMain } from "../../scripts/lib/run.mjs";
import { parts } from "../e2e/parts.mjs";

const all = ["W1", "W2", "W3", "W4", "W5"];

await runMain(async () => {
  const given = noneBeside(
    readArguments({
      quick: { type: "boolean" },
      rounds: { type: "string", least: 1 },
      works: { type: "string", default: all.join(","), among: all },
      json: { type: "string" },
      "write-docs": { type: "boolean" },
    }),
  );
  Object.assign(process.env, await parts());
  // What these import may just have been installed.
  const { worksOf } = await import("./works.mjs");
  const { measure } = await import("./run.mjs");
  const { goalsOf, tables, writeDocs } = await import("./report.mjs");
  const { quick = false, rounds = quick ? 3 : 7, works: names } = given;
  const works = worksOf({ quick }).filter(({ name }) => names.includes(name));
  await measure(works, { rounds, say: console.log });
  const text = tables(works, { rounds, command: `npm run bench${quick ? " -- --quick" : ""}` });
  console.log(`\n${text}`);
  if (given.json) {
    const samples = works.map(({ name, title, samples }) => ({ name, title, samples }));
    await writeFile(given.json, JSON.stringify({ rounds, works: samples, goals: goalsOf(works) }, null, 2));
  }
  if (given["write-docs"]) await writeDocs(text);
});
