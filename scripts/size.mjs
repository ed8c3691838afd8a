// `npm run size`: what a browser has to fetch, raw, gzip and brotli, against scripts/size-budget.json. 1 KB = 1024 bytes.
// Builds what is shipped first: after `npm start` a larger wasm may stand in pkg/. JavaScript is counted as an application ships it: bundled and minified by esbuild, React, Zustand and Redux Toolkit left out;
// an entry holds what it imports statically, but for the glue, which has a line of its own.
// Fails over a budget.
// `-- --why` shows what the wasm is made of, by crate and the largest functions.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, gzipSync, constants as zlib } from "node:zlib";
import { buildPackage } from "./build.mjs";
import { buildNamed, buildWasm } from "./build-wasm.mjs";
import { noneBeside, readArguments } from "./lib/arguments.mjs";
import { inRoot, isMain, runMain, Told } from "./lib/run.mjs";
import { targetDir } from "./lib/rust.mjs";
import { functionSizes, sectionSizes } from "./lib/wasm-names.mjs";

async function main() {
  const { why } = noneBeside(readArguments({ why: { type: "boolean" } }));
  console.log("Building what is shipped, where it is not up to date");
  await buildWasm();
  await buildPackage();
  const { build } = await import("esbuild");
  const rows = [];
  // A page loads one of them: that of its profile's framing.
  for (const [folder, name] of [
    ["pkg", ""],
    ["pkg/phoenix", " (phoenix)"],
    ["pkg/json", " (json)"],
    ["pkg/several", " (several)"],
  ]) {
    const wasm = await readBuilt(`${folder}/chatwire_bg.wasm`);
    const glue = await minified(build, inRoot(`${folder}/chatwire.js`), []);
    rows.push(
      measure(`wasm${name}`, [wasm]),
      measure(`glue${name}`, [glue]),
      measure(`wasm + glue${name}`, [wasm, glue]),
    );
  }
  rows.push(...(await entries(build)));
  const { budgets } = JSON.parse(await readFile(inRoot("scripts/size-budget.json"), "utf8"));
  const over = print(rows, budgets);
  if (why) await explain();
  if (over.length > 0) throw new Told(`Over budget:\n${over.map((line) => `- ${line}`).join("\n")}`);
}

/** Each entry of js/package.json that is JavaScript. */
async function entries(build) {
  const { exports } = JSON.parse(await readFile(inRoot("js/package.json"), "utf8"));
  const rows = [];
  for (const [path, target] of Object.entries(exports)) {
    const file = typeof target === "string" ? target : (target.module ?? target.default);
    if (!/\.(?:m?js|css)$/.test(file)) continue;
    await readBuilt(join("js", file));
    const code = await minified(build, inRoot("js", file), [
      "react",
      "react-dom",
      "zustand",
      "@reduxjs/toolkit",
      "vitest",
      "*/pkg/chatwire.js",
      "*/pkg/phoenix/chatwire.js",
      "*/pkg/json/chatwire.js",
      "*/pkg/several/chatwire.js",
    ]);
    rows.push(measure(path.replace(/^\./, "chatwire"), [code]));
  }
  return rows;
}

/** The code that a browser fetches for this file before anything runs: itself and its static imports. */
async function minified(build, file, external) {
  const { outputFiles, metafile } = await build({
    entryPoints: [file],
    bundle: true,
    minify: true,
    splitting: true,
    metafile: true,
    write: false,
    format: "esm",
    target: "es2022",
    outdir: inRoot("target", "size"),
    absWorkingDir: inRoot(),
    loader: { ".wasm": "empty" },
    define: { "process.env.NODE_ENV": '"production"' },
    external,
    logLevel: "error",
  });
  const [first] = Object.entries(metafile.outputs).find(([, output]) => output.entryPoint);
  const needed = new Set([first]);
  for (const path of needed) {
    for (const { path: next, kind, external: isOutside } of metafile.outputs[path].imports) {
      if (kind === "import-statement" && !isOutside) needed.add(next);
    }
  }
  const contents = outputFiles.filter(({ path }) => [...needed].some((name) => path === inRoot(name)));
  return Buffer.concat(contents.map((file) => file.contents));
}

async function readBuilt(path) {
  if (!existsSync(inRoot(path))) throw new Told(`${path} is not built: run \`npm run build\` first`);
  return readFile(inRoot(path));
}

/** Files are compressed one by one, as they are served. */
function measure(name, files) {
  const sum = (size) => files.reduce((total, file) => total + size(file), 0);
  return {
    name,
    raw: sum((file) => file.length),
    gzip: sum((file) => gzipSync(file, { level: 9 }).length),
    brotli: sum((file) => {
      const params = { [zlib.BROTLI_PARAM_QUALITY]: 11, [zlib.BROTLI_PARAM_SIZE_HINT]: file.length };
      return brotliCompressSync(file, { params }).length;
    }),
  };
}

/** Prints the table; gives what is over its budget, or lacks one. */
function print(rows, budgets) {
  const kb = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;
  const line = (name, ...cells) => console.log(name.padEnd(24) + cells.map((c) => c.padStart(12)).join(""));
  const over = [];
  line("", "raw", "gzip", "brotli", "budget");
  for (const { name, raw, gzip, brotli } of rows) {
    const budget = budgets[name];
    line(name, kb(raw), kb(gzip), kb(brotli), budget === undefined ? "" : kb(budget * 1024));
    if (budget !== undefined && brotli > budget * 1024)
      over.push(`${name}: ${kb(brotli)} of ${budget} KB brotli`);
    if (budget === undefined && name.startsWith("chatwire"))
      over.push(`${name} has no budget in size-budget.json`);
  }
  const known = new Set(rows.map((row) => row.name));
  for (const name of Object.keys(budgets)) {
    if (!known.has(name)) over.push(`size-budget.json names ${name}, which does not exist`);
  }
  return over;
}

/** By crate, and the largest functions. Inlining has moved some code to its callers. */
async function explain() {
  const wasm = await readFile(await buildNamed(join(await targetDir(), "size")));
  const line = (name, bytes, all) => {
    console.log(`${String(bytes).padStart(10)} ${((100 * bytes) / all).toFixed(1).padStart(5)} %  ${name}`);
  };
  const largest = (map) => [...map].sort((a, b) => b[1] - a[1]);

  console.log("\nSections of the wasm with its names (which are not shipped), bytes");
  const sections = sectionSizes(wasm);
  for (const [name, bytes] of largest(sections)) line(name, bytes, wasm.length);

  const functions = functionSizes(wasm);
  const code = functions.reduce((sum, f) => sum + f.bytes, 0);
  const byCrate = new Map();
  for (const { crate, bytes } of functions) byCrate.set(crate, (byCrate.get(crate) ?? 0) + bytes);
  console.log("\nCode by crate (generic code counts for the crate of its type)");
  for (const [name, bytes] of largest(byCrate)) line(name, bytes, code);

  const byRoom = new Map();
  for (const { name, bytes } of functions) {
    const room = /\bchatwire::(\w+(?:::\w+)?)/.exec(name)?.[1];
    if (room) byRoom.set(room, (byRoom.get(room) ?? 0) + bytes);
  }
  console.log("\nchatwire by room");
  for (const [name, bytes] of largest(byRoom)) line(name, bytes, code);

  console.log("\nThe largest functions");
  for (const { name, bytes } of functions.sort((a, b) => b.bytes - a.bytes).slice(0, 40))
    line(name, bytes, code);
}

if (isMain(import.meta.url)) await runMain(main);
