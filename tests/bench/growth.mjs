// Time against messages: W1 to W3 at several sizes, as a table and as pictures in docs/plots.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
// Plot draws axes and legends that a person can read; of the well-kept ones it is the smallest that draws without a browser.
import * as Plot from "@observablehq/plot";
import { JSDOM } from "jsdom";
import { inRoot } from "../../scripts/lib/run.mjs";
import { names } from "./report.mjs";
import { median, spread } from "./statistics.mjs";

const contenders = ["chatwire", "plain", "well-written"];
const conversations = 20;

/** Each work once for each number of messages. */
export function growing({ quick }) {
  const counts = quick ? [1_000, 5_000, 20_000] : [1_000, 5_000, 20_000, 50_000, 200_000];
  const works = [
    { name: "W1", title: "live burst", work: "burst", orderOf: (each) => ({ each, stored: each }) },
    { name: "W2", title: "catch-up", work: "catchUp", orderOf: (each) => ({ each, stored: each + 1 }) },
    {
      name: "W3",
      title: "cold start, messages stored",
      work: "start",
      fill: "catchUp",
      orderOf: (each) => ({ each: each - 1, stored: each, rows: 50 }),
    },
  ];
  return works.flatMap(({ orderOf, ...work }) =>
    counts.map((count) => ({
      ...work,
      count,
      contenders,
      goals: [],
      order: { conversations, ...orderOf(count / conversations) },
    })),
  );
}

/** Median milliseconds of each work, contender and number of messages. */
function points(works) {
  return works.flatMap(({ name, title, count, samples }) =>
    contenders.map((contender) => {
      const wrong = samples[contender].find(({ problem }) => problem);
      if (wrong) throw new Error(`${name}, ${count} messages, ${contender}: ${wrong.problem}`);
      const all = samples[contender].map(({ ms }) => ms);
      return { name, title, count, contender, ms: median(all), text: spread(all) };
    }),
  );
}

export function growthTable(works) {
  const all = points(works);
  const counts = [...new Set(all.map(({ count }) => count))];
  const rows = [...new Set(all.map(({ name }) => name))].flatMap((name) =>
    contenders.map((contender) => {
      const cells = all.filter((point) => point.name === name && point.contender === contender);
      return `| ${name} ${cells[0].title}, ${names[contender]} | ${cells.map(({ text }) => text).join(" | ")} |`;
    }),
  );
  return [
    `| ms (least to most) | ${counts.map((count) => count.toLocaleString("en")).join(" | ")} |`,
    `|---|${counts.map(() => "---|").join("")}`,
    ...rows,
  ].join("\n");
}

/** One picture a work. Both axes are logarithmic: a straight line of slope one is as much time again for as many messages again. */
export async function writePlots(works, folder = inRoot("docs/plots")) {
  await mkdir(folder, { recursive: true });
  const all = points(works);
  for (const name of new Set(all.map((point) => point.name))) {
    const own = all
      .filter((point) => point.name === name)
      .map((point) => ({ ...point, who: names[point.contender] }));
    const { document } = new JSDOM("").window;
    const svg = Plot.plot({
      document,
      ariaLabel: `${name}, ${own[0].title}: time against messages`,
      width: 640,
      height: 400,
      marginLeft: 60,
      marginRight: 150,
      style: { background: "white", color: "black", fontFamily: "system-ui, sans-serif" },
      x: { type: "log", label: "messages", tickFormat: "~s", grid: true },
      y: { type: "log", label: `${name} ${own[0].title}: ms`, tickFormat: "~s", grid: true },
      color: { range: ["#0b6bcb", "#8a8a8a", "#d9480f"] },
      marks: [
        Plot.line(own, { x: "count", y: "ms", stroke: "who", strokeWidth: 2 }),
        Plot.dot(own, { x: "count", y: "ms", fill: "who" }),
        Plot.text(
          own,
          Plot.selectLast({ x: "count", y: "ms", z: "who", text: "who", dx: 8, textAnchor: "start" }),
        ),
      ],
    });
    svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    await writeFile(join(folder, `${name}.svg`), `${svg.outerHTML}\n`);
  }
}
