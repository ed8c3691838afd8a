// Building only what has changed: a stamp of the inputs' contents, kept beside the installed packages.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { inRoot } from "./run.mjs";

const passedOver = new Set(["node_modules", "dist", "dist-inline", "pkg", "target", ".git"]);

/**
 * Runs `build` unless `outputs` exist and `inputs` (files and folders, from the root) are what they were when it last
 * succeeded. Says "up to date" where there was nothing to do.
 */
export async function unlessFresh(name, { inputs, outputs }, build) {
  const stamps = inRoot("node_modules", ".cache", "chatwire");
  const stampFile = join(stamps, name);
  const stamp = await hashOf(inputs, (name) => !passedOver.has(name));
  const old = existsSync(stampFile) ? await readFile(stampFile, "utf8") : "";
  if (old === stamp && outputs.every((path) => existsSync(inRoot(path)))) return "up to date";
  await rm(stampFile, { force: true });
  await build();
  await mkdir(stamps, { recursive: true });
  await writeFile(stampFile, stamp);
}

/** Of the names and contents of files and folders, from the root; of what a folder holds, where `takes` its name. */
export async function hashOf(paths, takes = () => true) {
  const hash = createHash("sha256");
  for (const path of paths) await addTo(hash, path, takes);
  return hash.digest("hex");
}

async function addTo(hash, path, takes) {
  const full = resolve(inRoot(), path);
  if (!existsSync(full)) return;
  hash.update(`${path}\0`);
  if ((await stat(full)).isFile()) return hash.update(await readFile(full));
  for (const name of (await readdir(full)).sort()) {
    if (takes(name)) await addTo(hash, join(path, name), takes);
  }
}
