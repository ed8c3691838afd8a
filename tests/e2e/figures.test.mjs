// `npm run figures` with a small store: what nobody runs every day still runs, and has something to say in every row.
import assert from "node:assert/strict";
import { test } from "node:test";
import { figuresRun } from "./figures/run.mjs";

test("a start beside a bare read, loading earlier ones, a jump into the middle: each row has its figures", async () => {
  const lines = [];
  await figuresRun({ sizes: [400], conversations: 4, rounds: 1, say: (line) => lines.push(line) });
  const rows = lines.filter((line) => line.startsWith("| ")).map((line) => line.split("|").slice(1, -1));
  const figures = new Map(rows.map(([name, figure]) => [name.trim(), Number.parseFloat(figure)]));
  for (const name of [
    "bare read of the same records, ms",
    "cold start: list and last 50, ms",
    "50 earlier ones, ms",
  ]) {
    assert.ok(figures.get(name) > 0, `${name}: ${figures.get(name)}`);
  }
  assert.ok(figures.get("jump into the middle, ms") > 0);
  assert.ok(figures.get("cold start to bare read") > 0);
});
