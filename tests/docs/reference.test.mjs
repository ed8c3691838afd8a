// The reference that is generated: all entries of the package, with the comments of members that the API report leaves out.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { inRoot } from "../../scripts/lib/run.mjs";
import { writeReference } from "./reference.mjs";

test("npm run reference: a page for every export of every entry, and no type that is named and not told", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "chatwire-reference-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const names = await writeReference(folder);
  const { exports } = JSON.parse(await readFile(inRoot("js", "package.json"), "utf8"));
  const typed = Object.entries(exports).filter(([, { types }]) => types?.startsWith("./dist/"));
  assert.deepEqual(names.sort(), typed.map(([path]) => join("chatwire", path)).sort());
  const page = await readFile(join(folder, "types", "chatwire.ChatOptions.html"), "utf8");
  assert.match(page, /Asked on every connect and when a token was refused/);
});
