// What a page without React fetches until its first message is acknowledged, against scripts/size-budget.json.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { bytesUntilAcknowledged } from "./lib/bytes.mjs";

const budgets = new URL("../../scripts/size-budget.json", import.meta.url);

test("bytes until the first acknowledged message are within their budget", async (t) => {
  const { page: limits } = JSON.parse(await readFile(budgets, "utf8"));
  const bytes = await bytesUntilAcknowledged();
  t.diagnostic(`KB: ${JSON.stringify(bytes)}`);
  for (const kind of ["js", "wasm", "frames"]) assert.ok(bytes[kind] > 0, `no ${kind} counted`);
  assert.ok(bytes.sum <= limits["first acknowledged message"], `${bytes.sum} KB`);
});
