// `npm run fuzz -- --planted` plants its defects in texts of the product: each still has its place there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PLANTED } from "../../scripts/fuzz/planted.mjs";
import { TARGETS } from "../../scripts/fuzz.mjs";
import { allFiles, read } from "./sources.mjs";

test("each fuzzer has a defect to find, and each defect one place", () => {
  const targets = new Set(PLANTED.map(({ target }) => target));
  assert.deepEqual([...targets].sort(), [...TARGETS].sort());
  for (const { name, file, from, to } of PLANTED) {
    assert.equal(read(file).split(from).length, 2, `${name}: ${file} has changed, or holds its text twice`);
    assert.ok(to.includes(`crate::planted("${name}")`), `${name} is not behind its name`);
  }
});

test("each fuzz target is built, and has a file", () => {
  const named = [...read("tests/fuzz/Cargo.toml").matchAll(/^path = "(targets\/.*)"$/gm)].map(
    ([, path]) => path,
  );
  const files = allFiles().filter((path) => path.startsWith("tests/fuzz/targets/"));
  assert.deepEqual(named.map((path) => `tests/fuzz/${path}`).sort(), files);
  assert.deepEqual(files, TARGETS.map((name) => `tests/fuzz/targets/${name}.rs`).sort());
});
