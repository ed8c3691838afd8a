// `npm run build:wasm`: the crate `chatwire` as pkg/chatwire_bg.wasm with its glue pkg/chatwire.js and types, and the same once
// more for each other framing (pkg/phoenix, pkg/json): a page loads the one of its profile, and nothing of the others.
// cargo → wasm-bindgen → unused shims → wasm-opt → order → short names. `--dev` ends after wasm-bindgen. Nothing of it where nothing
// has changed that it is made of (`lib/wasm-stamp.mjs`); of the four those that a change is part of (`lib/wasm-kept.mjs`), and nothing
// behind cargo where that gives what it gave before.
//
// What is shipped is built with a standard library of its own (`compileSmall`); where that cannot be had, and for
// `npm start`, with the one that comes with Rust.
//
// Not wasm-pack: it would be one more minute of a cold start, and it takes whatever wasm-opt the system has.
// `wasm-pack build --target web` works on this crate all the same.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exec, isMain, root, run, runMain, Told } from "./lib/run.mjs";
import { ensureWasmTarget, hasStandardSource, targetDir, wasmBindgen, wasmTarget } from "./lib/rust.mjs";
import { shortened } from "./lib/short-names.mjs";
import { namedByPlace } from "./lib/similar-order.mjs";
import { withoutUnusedShims } from "./lib/unused-shims.mjs";
import { isKept, keep, keepFolder } from "./lib/wasm-kept.mjs";
import { forgetMade, inputsNow, isMade, markAsMade, toolsNow } from "./lib/wasm-stamp.mjs";

const bindgenArgs = ["--target", "web", "--omit-default-module-path"];

// What rustc enables for wasm32-unknown-unknown by default, said aloud: wasm-opt must accept it in the input,
// and may not use more than the browsers that run the input have.
const features = [
  "bulk-memory",
  "multivalue",
  "mutable-globals",
  "nontrapping-float-to-int",
  "reference-types",
  "sign-ext",
];
const featureArgs = features.map((feature) => `--enable-${feature}`);

// Small under brotli, not small as it stands: -Oz alone makes the file a tenth smaller raw and larger on its way. Functions
// with one caller stay functions, repeated code stays repeated, and neighbours by name are alike: 7 % less than -Oz
// (tried pass by pass; Cargo.toml tells wasm-pack the same).
const optArgs = [
  "-Oz",
  "--converge",
  "--one-caller-inline-max-function-size=20",
  "--skip-pass=local-cse",
  "--skip-pass=merge-similar-functions",
  "--reorder-functions-by-name",
  "--strip-producers",
  "--strip-target-features",
  ...featureArgs,
];

const crate = ["--target", wasmTarget, "--lib", "-p", "chatwire"];

/**
 * A build for each framing, and one with all of them, for `phoenix` over Socket.IO and for what `defineProfile` declares on another
 * framing than Socket.IO: its features of the crate, and its folder in pkg/.
 */
const framings = [
  { feature: "socket-io", folder: "" },
  { feature: "phoenix", folder: "phoenix" },
  { feature: "json", folder: "json" },
  { feature: "several", folder: "several" },
];

/** Builds pkg/. Says "up to date" where there was nothing to do. */
export async function buildWasm({ dev = false, small = !dev } = {}) {
  // Before cargo reads them: what is changed meanwhile is seen the next time.
  const made = await inputsNow({ dev, small });
  if (await isMade(made)) return "up to date";
  if (!dev) assertWasmOpt();
  const inputs = [];
  for (const { feature } of framings) inputs.push(await compile(small, feature));
  const { bindgen } = await wasmBindgen();
  // Another time the build for size may succeed.
  const isAsked = inputs.every((input) => input.isSmall === small);
  const stamp = await stampOf(inputs, dev);
  const stampFile = join(root, "pkg", ".stamp");
  const isSame = existsSync(stampFile) && (await readFile(stampFile, "utf8")) === stamp;
  if (!isSame || !(await isMade())) await finish(inputs, { dev, bindgen, stampFile, stamp });
  await markAsMade(isAsked ? made : undefined);
}

/** From what cargo has made to pkg/. */
async function finish(inputs, { dev, bindgen, stampFile, stamp }) {
  const pkg = join(root, "pkg");
  // Made beside and renamed at the end, the stamp last: a broken run leaves the old files with no stamp.
  const next = join(pkg, ".next");
  await rm(next, { recursive: true, force: true });
  // That of all names first: the others' folders come into it.
  for (const [at, { folder }] of framings.entries()) {
    const to = join(next, folder);
    const { file } = inputs[at];
    const make = async () => {
      await mkdir(to, { recursive: true });
      await run(bindgen, [...bindgenArgs, "--out-name", "chatwire", "--out-dir", to, file]);
      if (!dev) await shorten(to);
    };
    await keepFolder(`${file}.${dev ? "dev" : "done"}`, await stampOf([inputs[at]], dev), to, make);
  }
  await forgetMade();
  await rm(stampFile, { force: true });
  // What this build does not make would be an older one's, and shipped.
  const folders = framings.map(({ folder }) => folder).filter((folder) => folder !== "");
  for (const name of ["snippets", "chatwire_bg.wasm.d.ts", ...folders])
    await rm(join(pkg, name), { recursive: true, force: true });
  for (const name of await readdir(next)) await rename(join(next, name), join(pkg, name));
  await rm(next, { recursive: true });
  await writeFile(stampFile, stamp);
}

/** Whether the small build has been made here before: then keeping it up to date costs no more than the other one. */
export async function hasSmallBuild() {
  if (await isMade(await inputsNow({ dev: false, small: true }))) return true;
  return existsSync(await compiled("small", "socket-io"));
}

/** The wasm as it is shipped, but with the names of its functions: for `npm run size -- --why`. */
export async function buildNamed(folder) {
  const { file: input } = await compile(true, "socket-io");
  const { bindgen } = await wasmBindgen();
  await run(bindgen, [...bindgenArgs, "--out-name", "chatwire", "--out-dir", folder, input]);
  const file = join(folder, "chatwire_bg.wasm");
  await optimise(file, ["--debuginfo"]);
  return file;
}

/** Compiles the crate with one framing; gives the path of the raw wasm, and whether it is the build for size. */
async function compile(small, feature) {
  await ensureWasmTarget();
  const features = ["--no-default-features", "--features", feature];
  if (small) {
    const file = await kept("small", feature, () => compileSmall(features));
    if (file) return { file, isSmall: true };
    console.warn(
      "\n! The build for size has failed (see above), or the sources of Rust's standard library are missing: the wasm is built\n" +
        "! with the one that comes with Rust. It works the same and is about 10 KB larger (brotli), over the budget of `npm run size`.\n",
    );
  }
  const make = async () => {
    await run("cargo", ["build", "--release", ...crate, ...features]);
    return true;
  };
  return { file: await kept("release", feature, make), isSmall: false };
}

/** The framing's wasm, made where it is not up to date; undefined where that has failed. */
async function kept(profile, feature, make) {
  const file = await compiled(profile, feature);
  const options = { profile, feature };
  if (await isKept(file, options)) return file;
  const from = join(await targetDir(), wasmTarget, profile, "chatwire.wasm");
  return (await keep(file, options, from, make)) ? file : undefined;
}

async function compiled(profile, feature) {
  return join(await targetDir(), wasmTarget, profile, `chatwire-${feature}.wasm`);
}

/**
 * With the standard library built for size, and with a panic as a trap at once. The ordinary one formats a message
 * first, which nobody sees in a browser, and that is 10 KB of the compressed wasm. cargo and rustc still call these
 * flags unstable, hence RUSTC_BOOTSTRAP; a Rust that knows them by other names fails here, and the caller goes on
 * without. A profile of its own: the two builds do not undo each other's work.
 */
async function compileSmall(features) {
  if (!(await hasStandardSource())) return false;
  const std = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];
  const flags = "-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none";
  const env = {
    ...process.env,
    RUSTC_BOOTSTRAP: "1",
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: flags,
  };
  const args = ["build", "--profile", "small", ...crate, ...features, ...std];
  const { code, signal } = await exec("cargo", args, { stdio: "inherit", env });
  if (signal) throw new Told(`cargo was ended (${signal})`);
  return code === 0;
}

async function shorten(folder) {
  const file = join(folder, "chatwire_bg.wasm");
  await optimise(file);
  await sortFunctions(file);
  await shortenNames(folder);
}

async function optimise(file, more = []) {
  await writeFile(file, withoutUnusedShims(await readFile(file)));
  await wasmOpt([...optArgs, ...more, file, "-o", file]);
}

/** Where each function stands: see `lib/similar-order.mjs`. */
async function sortFunctions(file) {
  await writeFile(file, namedByPlace(await readFile(file)));
  await wasmOpt([...featureArgs, "--reorder-functions-by-name", "--strip-debug", file, "-o", file]);
}

const wasmOptCommand = join(root, "node_modules", "binaryen", "bin", "wasm-opt");

/** Said before minutes of compiling, not behind them. */
function assertWasmOpt() {
  if (!existsSync(wasmOptCommand))
    throw new Told("wasm-opt (npm package binaryen) is missing: run `npm ci` first");
}

async function wasmOpt(args) {
  await run(process.execPath, [wasmOptCommand, ...args]);
}

async function shortenNames(folder) {
  const [wasm, glue, types] = ["chatwire_bg.wasm", "chatwire.js", "chatwire.d.ts"].map((name) =>
    join(folder, name),
  );
  const short = shortened(await readFile(wasm), await readFile(glue, "utf8"), await readFile(types, "utf8"));
  await writeFile(wasm, short.wasm);
  await writeFile(glue, short.glue);
  await writeFile(types, short.types);
  // It speaks of the long names, and the package has types of its own for what it uses.
  await rm(join(folder, "chatwire_bg.wasm.d.ts"), { force: true });
}

/** Changes whenever pkg/ would: the compiled crate with each framing, the versions of the tools, their arguments. */
async function stampOf(inputs, dev) {
  const hash = createHash("sha256");
  for (const { file } of inputs) hash.update(await readFile(file));
  hash.update(JSON.stringify({ tools: await toolsNow(), dev }));
  return hash.digest("hex");
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    const note = await buildWasm({ dev: process.argv.includes("--dev") });
    if (note) console.log(`pkg/ is ${note}`);
  });
}
