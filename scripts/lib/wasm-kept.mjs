// One framing's wasm, kept beside what cargo makes. cargo has one place for all features, and compiles each anew: what it has
// made of one is good as long as its own sources are what they were.
import { existsSync } from "node:fs";
import { copyFile, cp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { hashOf } from "./fresh.mjs";
import { inRoot } from "./run.mjs";
import { inputsNow } from "./wasm-stamp.mjs";

/** Whether `file` is there as it was made by `keep`, of what there is now. */
export async function isKept(file, options) {
  if (!existsSync(file) || !existsSync(`${file}.from`)) return false;
  const { sources, inputs, content } = JSON.parse(await readFile(`${file}.from`, "utf8"));
  return content === (await hashOf([file])) && inputs === (await inputsNow(options, sources));
}

/**
 * Has `make` compile, and puts what it has made at `from` by as `file`, with what it was made of: what cargo says that rustc has
 * read, and what is no Rust. False where `make` gives that.
 */
export async function keep(file, options, from, make) {
  await rm(`${file}.from`, { force: true });
  const before = await inputsNow(options);
  // cargo goes by times. What has another content is compiled, also where its time is an older one.
  await rm(join(dirname(from), "deps", basename(from)), { force: true });
  if (!(await make())) return false;
  await copyFile(from, file);
  const read = await sourcesIn(from.replace(/\.wasm$/, ".d"));
  if (!read) return true;
  const all = await readdir(inRoot("src"), { recursive: true });
  const others = all.filter((name) => /\.\w+$/.test(name) && !name.endsWith(".rs"));
  const sources = [...read, ...others.map((name) => join("src", name)).sort()];
  const inputs = await inputsNow(options, sources);
  // Somebody has changed them meanwhile: nobody knows which of the two were compiled.
  if ((await inputsNow(options)) === before)
    await writeFile(`${file}.from`, JSON.stringify({ sources, inputs, content: await hashOf([file]) }));
  return true;
}

/** The folder `to`: as `make` has made it by this stamp before, or now. */
export async function keepFolder(kept, stamp, to, make) {
  const stampFile = join(kept, ".stamp");
  if (existsSync(stampFile) && (await readFile(stampFile, "utf8")) === stamp) {
    await cp(kept, to, { recursive: true, filter: (path) => path !== stampFile });
    return;
  }
  await make();
  await rm(kept, { recursive: true, force: true });
  await cp(to, `${kept}.next`, { recursive: true });
  await rename(`${kept}.next`, kept);
  await writeFile(stampFile, stamp);
}

/** `made: source source …`, where a space in a name stands behind a backslash. */
async function sourcesIn(depInfo) {
  if (!existsSync(depInfo)) return undefined;
  const [line = ""] = (await readFile(depInfo, "utf8")).split("\n");
  const sources = line.slice(line.indexOf(": ") + 2).split(/(?<!\\) /);
  return sources.filter(Boolean).map((name) => name.replaceAll("\\ ", " "));
}
