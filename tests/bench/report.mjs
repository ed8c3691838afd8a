// The tables, for people; and into docs/performance.md, between its marks.
import { readFile, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { inRoot } from "../../scripts/lib/run.mjs";
import { spread } from "./statistics.mjs";

/** What each contender is called. */
export const names = {
  chatwire: "chatwire",
  plain: "same design, JavaScript",
  "well-written": "well-written stack",
  "one-at-a-time": "one at a time",
  guides: "guides' stack",
  limit: "limit",
};
const marksOf = (what) => [`<!-- ${what}: begin -->`, `<!-- ${what}: end -->`];

/** What was reached: `{work, goal, allowed, reached, isMet}`. */
export function goalsOf(works) {
  return works.flatMap((work) =>
    work.goals.map(([goal, allowed, of]) => {
      const reached = of(work);
      return { work: work.name, goal, allowed, reached, isMet: reached <= allowed };
    }),
  );
}

export function tables(works) {
  const columns = Object.keys(names).filter((name) =>
    works.some(({ contenders }) => contenders.includes(name)),
  );
  const cell = ({ samples }, name) => {
    if (!samples[name]) return "";
    const wrong = samples[name].find(({ problem }) => problem);
    return wrong ? `does not count: ${wrong.problem}` : spread(samples[name].map(({ ms }) => ms));
  };
  return [
    `| | ${columns.map((name) => names[name]).join(" | ")} |`,
    `|---|${columns.map(() => "---|").join("")}`,
    ...works.map(
      (work) => `| ${work.name} ${work.title} | ${columns.map((name) => cell(work, name)).join(" | ")} |`,
    ),
    "",
    "| work | goal | reached | |",
    "|---|---|---|---|",
    ...goalsOf(works).map(({ work, goal, allowed, reached, isMet }) => {
      const verdict = isMet ? "met" : `missed by ${((100 * reached) / allowed - 100).toFixed(0)} %`;
      return `| ${work} | at most ${allowed.toFixed(3)} ${goal} | ${reached.toFixed(3)} | ${verdict} |`;
    }),
  ].join("\n");
}

/** How often, with what and where it was measured. */
export function headOf({ rounds, command }) {
  const machine = `${cpus()[0].model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB`;
  return `\`${command}\`, ${rounds} rounds, medians (least to most) in ms, where nothing else is said; ${machine}; ${process.platform}, Node ${process.version}, headless Chromium.`;
}

/** Between the marks of `what` in docs/performance.md. */
export async function writeDocs(what, text) {
  const file = inRoot("docs/performance.md");
  const before = await readFile(file, "utf8");
  const marks = marksOf(what);
  const [from, to] = marks.map((mark) => before.indexOf(mark));
  await writeFile(file, `${before.slice(0, from + marks[0].length)}\n${text}\n${before.slice(to)}`);
}
