// Is pkg/ what the sources make? Asked before anything is compiled: a stamp of all that it is made of, and one of what was
// made, so that a file that is missing or was changed there is made anew, too.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hashOf } from "./fresh.mjs";
import { inRoot } from "./run.mjs";
import { compilerInUse } from "./rust.mjs";

const file = inRoot("pkg", ".made");

/** From the root, beside the sources of the crate. */
const always = [
  "Cargo.toml",
  "Cargo.lock",
  "build.rs",
  "tools/wasm-bindgen",
  "node_modules/binaryen/package.json",
];

/** What cargo takes from its surroundings and puts into what it compiles. */
const settings =
  /^(RUSTFLAGS|RUSTC\w*|CARGO_ENCODED_RUSTFLAGS|CARGO_BUILD_\w+|CARGO_PROFILE_(RELEASE|SMALL)_\w+|CARGO_TARGET_WASM32_\w+_(RUSTFLAGS|LINKER))$/;

/**
 * Changes with everything that pkg/ is made of, by these options: sources, scripts, compiler, settings. Without a list the
 * sources are the whole of src, tests and all: too much costs a minute of cargo's, too little would leave an old wasm.
 */
export async function inputsNow(options, sources = ["src"]) {
  const scripts = await withImports("scripts/build-wasm.mjs");
  const files = await hashOf([...always, ...sources, ...scripts, ...cargoConfigs()]);
  const given = Object.entries(process.env).filter(([name]) => settings.test(name));
  const all = JSON.stringify({ files, given: given.sort(), compiler: await compilerInUse(), options });
  return createHash("sha256").update(all).digest("hex");
}

/** Changes with everything that makes pkg/ of what cargo has compiled. */
export async function toolsNow() {
  const tools = ["Cargo.lock", "tools/wasm-bindgen", "node_modules/binaryen/package.json"];
  return hashOf([...tools, ...(await withImports("scripts/build-wasm.mjs"))]);
}

/** Whether pkg/ stands as it was made, by these inputs or, without, by any. */
export async function isMade(by) {
  // Without the first the package and the demo would be built each time, or never.
  if (!existsSync(inRoot("pkg", ".stamp")) || !existsSync(file)) return false;
  const [outputs, inputs] = (await readFile(file, "utf8")).split("\n");
  return outputs === (await outputsNow()) && (by === undefined || inputs === by);
}

/** Writes down that pkg/ was made, and by what; undefined where that would not be made so again. */
export async function markAsMade(by) {
  await writeFile(file, `${await outputsNow()}\n${by ?? ""}`);
}

/** pkg/ is about to change. */
export async function forgetMade() {
  await rm(file, { force: true });
}

function outputsNow() {
  return hashOf(["pkg"], (name) => !name.startsWith("."));
}

/** A module and those that it imports, directly or not. */
async function withImports(path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  const text = await readFile(inRoot(path), "utf8");
  for (const [, name] of text.matchAll(/(?:from|import)\s*\(?"(\.[^"]+)"/g))
    await withImports(join(dirname(path), name), found);
  return found;
}

/** cargo reads those of the folders above, and one of the user's. */
function cargoConfigs() {
  const folders = [];
  for (let at = inRoot(); at !== dirname(at); at = dirname(at)) folders.push(join(at, ".cargo"));
  const { CARGO_HOME, HOME, USERPROFILE } = process.env;
  folders.push(CARGO_HOME ?? join(HOME ?? USERPROFILE ?? inRoot(), ".cargo"));
  return folders.flatMap((folder) => [join(folder, "config"), join(folder, "config.toml")]);
}
