// What the scripts need of the Rust side: the target directory, the wasm32 target, wasm-bindgen from the lock file.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { capture, exec, run, Told } from "./run.mjs";

export const wasmTarget = "wasm32-unknown-unknown";

const exe = process.platform === "win32" ? ".exe" : "";

let knownTargetDir;

/** Where cargo puts what it builds: CARGO_TARGET_DIR and cargo's own configuration are respected. */
export async function targetDir() {
  if (!knownTargetDir) {
    const text = await capture("cargo", ["metadata", "--no-deps", "--format-version", "1"]);
    if (text === undefined)
      throw new Told("`cargo metadata` failed: is Rust installed, and Cargo.toml sound?");
    knownTargetDir = JSON.parse(text).target_directory;
  }
  return knownTargetDir;
}

/** Makes sure that rustc can build for the browser; asks rustup for the target where it is missing. */
export async function ensureWasmTarget() {
  const sysroot = await capture("rustc", ["--print", "sysroot"]);
  if (sysroot === undefined) throw new Told("`rustc` is missing: install Rust from https://rustup.rs");
  if (existsSync(join(sysroot, "lib", "rustlib", wasmTarget, "lib"))) return;
  console.log(`rustup target add ${wasmTarget}`);
  const { code } = await exec("rustup", ["target", "add", wasmTarget], { stdio: "inherit" });
  if (code === 0) return;
  throw new Told(
    [
      `The Rust target ${wasmTarget} is missing and \`rustup target add ${wasmTarget}\` failed (code ${code}).`,
      "- No rustup? Install Rust from https://rustup.rs and run this again.",
      "- No way to static.rust-lang.org? Set RUSTUP_DIST_SERVER to a mirror that you reach.",
      `- Rust of a Linux distribution? Install its package for ${wasmTarget} (Debian: libstd-rust-dev-wasm32).`,
    ].join("\n"),
  );
}

/** Whether the sources of the standard library are there; asks rustup for them where they are missing. */
export async function hasStandardSource() {
  const lock = standardSource((await capture("rustc", ["--print", "sysroot"])) ?? "");
  if (existsSync(lock)) return true;
  console.log("rustup component add rust-src");
  await exec("rustup", ["component", "add", "rust-src"], { stdio: "inherit" });
  return existsSync(lock);
}

function standardSource(sysroot) {
  return join(sysroot, "lib", "rustlib", "src", "rust", "library", "Cargo.lock");
}

/** Which compiler there is, to the commit, and which standard library it can build; undefined where there is none. */
export async function compilerInUse() {
  const ask = (...args) => capture("rustc", args);
  const [version, sysroot] = await Promise.all([ask("-vV"), ask("--print", "sysroot")]);
  if (version === undefined || sysroot === undefined) return undefined;
  const source = standardSource(sysroot);
  return { version, sysroot, source: existsSync(source) ? await readFile(source, "utf8") : null };
}

/** Builds wasm-bindgen and its test runner where they are not up to date; gives their paths. */
export async function wasmBindgen(options = {}) {
  await run("cargo", ["build", "-p", "chatwire-wasm-bindgen"], options);
  const bin = join(await targetDir(), "debug");
  return {
    bindgen: join(bin, `wasm-bindgen${exe}`),
    testRunner: join(bin, `wasm-bindgen-test-runner${exe}`),
  };
}

/** The path of a built binary of the workspace. */
export async function builtBinary(profile, name) {
  return join(await targetDir(), profile, `${name}${exe}`);
}

/** rustfmt and clippy: rustup's minimal profile comes without them. */
export async function ensureComponents() {
  for (const [name, probe] of [
    ["rustfmt", ["fmt", "--version"]],
    ["clippy", ["clippy", "--version"]],
  ]) {
    if ((await capture("cargo", probe)) !== undefined) continue;
    console.log(`rustup component add ${name}`);
    const { code } = await exec("rustup", ["component", "add", name], { stdio: "inherit" });
    if (code !== 0)
      throw new Told(`${name} is missing and \`rustup component add ${name}\` failed (code ${code})`);
  }
}
