// A short kill run; `npm run kill` is the long one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { killRun } from "./kill/run.mjs";

test("six kills: every saved message is on the server once, in order, and acknowledged", async () => {
  assert.deepEqual(await killRun({ rounds: 6, seed: 2, say: console.log }), []);
});
