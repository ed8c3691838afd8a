// `npm run bench [-- --quick --rounds 7 --works W1,W2 --json FILE --write-docs]`: chatwire beside other ways to build the same,
// against the same server; docs/performance.md says what is measured. `--quick` takes fewer messages and three rounds. `--growth`:
// W1 to W3 at 1,000 to 200,000 messages instead (with `--write-docs` as pictures, too).
//
// Each visit is a fresh browser that nothing is attached to; whoever has not all messages after a reload does not count.
import { writeFile } from "node:fs/promises";
import { noneBeside, readArguments } from "../../scripts/lib/arguments.mjs";
import { runMain, Told } from "../../scripts/lib/run.mjs";
import { parts } from "../e2e/parts.mjs";

const names = ["W1", "W2", "W3", "W4", "W5", "W6", "W8", "W9", "W10"];

await runMain(async () => {
  const given = noneBeside(
    readArguments({
      quick: { type: "boolean" },
      growth: { type: "boolean" },
      rounds: { type: "string", least: 1 },
      works: { type: "string", default: names.join(","), among: names },
      json: { type: "string" },
      "write-docs": { type: "boolean" },
    }),
  );
  Object.assign(process.env, await parts());
  // What these import may just have been installed.
  const { worksOf } = await import("./works.mjs");
  const { growing, growthTable, writePlots } = await import("./growth.mjs");
  const { measure } = await import("./run.mjs");
  const { goalsOf, headOf, tables, writeDocs } = await import("./report.mjs");
  const { quick = false, growth = false, rounds = quick || growth ? 3 : 7 } = given;
  const all = growth ? growing({ quick }) : worksOf({ quick });
  const works = all.filter(({ name }) => given.works.includes(name));
  if (works.length === 0) throw new Told("--growth has W1, W2 and W3 alone");
  await measure(works, { rounds, say: console.log });
  const flags = [growth && " --growth", quick && " --quick"].filter(Boolean).join("");
  const command = `npm run bench${flags && ` --${flags}`}`;
  const text = `${headOf({ rounds, command })}\n\n${growth ? growthTable(works) : tables(works)}`;
  console.log(`\n${text}`);
  if (given.json) {
    const samples = works.map(({ name, title, count, samples }) => ({ name, title, count, samples }));
    await writeFile(given.json, JSON.stringify({ rounds, works: samples, goals: goalsOf(works) }, null, 2));
  }
  if (!given["write-docs"]) return;
  if (growth) await writePlots(works);
  await writeDocs(growth ? "growth" : "bench", text);
});
