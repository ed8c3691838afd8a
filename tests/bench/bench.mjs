// `npm run bench [-- --quick --rounds 7 --works W1,W2 --json FILE --write-docs]`: chatwire beside other ways to build the same,
// against the same server; docs/performance.md says what is measured. `--quick` takes fewer messages and three rounds. `--growth`:
// W1 to W3 at 1,000 to 200,000 messages instead (with `--write-docs` as pictures, too).
//
// Each visit is a fresh browser that nothing is attached to; whoever has not all messages after a reload does not count.
import { writeFile } from "node:fs/promises";
import { noneBeside, readArguments } from "../../scripts/lib/arguments.mjs";
import { runMain, Told } from "../../scripts/lib/run.mjs";
import { parts } from "../e2e/parts.mjs";

const all = ["W1", "W2", "W3", "W4", "W5", "W6", "W10"];

await runMain(async () => {
  const given = noneBeside(
    readArguments({
      quick: { type: "boolean" },
      growth: { type: "boolean" },
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
  const { quick = false, growth = false, rounds = quick || growth ? 3 : 7, works: names } = given;
  if (growth) return showGrowth(rounds, given);
  const works = worksOf({ quick }).filter(({ name }) => names.includes(name));
  await measure(works, { rounds, say: console.log });
  const text = tables(works, { rounds, command: `npm run bench${quick ? " -- --quick" : ""}` });
  console.log(`\n${text}`);
  if (given.json) {
    const samples = works.map(({ name, title, samples }) => ({ name, title, samples }));
    await writeFile(given.json, JSON.stringify({ rounds, works: samples, goals: goalsOf(works) }, null, 2));
  }
  if (given["write-docs"]) await writeDocs("bench", text);
});

async function showGrowth(rounds, { quick, works: names, json, "write-docs": writes }) {
  const { measure } = await import("./run.mjs");
  const { growing, growthTable, writePlots } = await import("./growth.mjs");
  const { headOf, writeDocs } = await import("./report.mjs");
  const counts = quick ? [1_000, 5_000, 20_000] : [1_000, 5_000, 20_000, 50_000, 200_000];
  const works = growing(counts).filter(({ name }) => names.includes(name));
  if (works.length === 0) throw new Told("--growth has W1, W2 and W3 alone");
  await measure(works, { rounds, say: console.log });
  const command = `npm run bench -- --growth${quick ? " --quick" : ""}`;
  const text = `${headOf({ rounds, command })}\n\n${growthTable(works)}`;
  console.log(`\n${text}`);
  if (json) {
    const samples = works.map(({ name, count, samples }) => ({ name, count, samples }));
    await writeFile(json, JSON.stringify({ rounds, works: samples }, null, 2));
  }
  if (!writes) return;
  await writePlots(works);
  await writeDocs("growth", text);
}
