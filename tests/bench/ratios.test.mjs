// chatwire's time beside the same design in JavaScript, of the same run, falls back by a fifth at most against recorded.json.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { measure } from "./run.mjs";
import { median, pairs } from "./statistics.mjs";
import { worksOf } from "./works.mjs";

const rounds = 3;
const recorded = JSON.parse(await readFile(new URL("recorded.json", import.meta.url), "utf8"));

test("W1 and W2 take no more than a fifth longer, beside the same design, than was recorded", async () => {
  const works = worksOf({ quick: true })
    .filter(({ name }) => name in recorded)
    .map((work) => ({ ...work, contenders: ["chatwire", "plain"] }));
  await measure(works, { rounds, say: () => {} });
  for (const work of works) {
    for (const sample of Object.values(work.samples).flat()) assert.equal(sample.problem, null);
    const ratio = median(pairs(work, "chatwire", "plain"));
    assert.ok(ratio <= 1.2 * recorded[work.name], `${work.name}: ${ratio}, recorded ${recorded[work.name]}`);
  }
});
