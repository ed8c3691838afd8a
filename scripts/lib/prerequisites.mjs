// What must be on the machine before anything can be built. Plain Node: runs before any package is installed.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { capture, inRoot, run, Told } from "./run.mjs";

const rustHelp = "install Rust from https://rustup.rs, then open a new shell";
const compilerHelp = {
  linux: "install one: `apt install build-essential`, `dnf install gcc` or the like",
  darwin: "run `xcode-select --install`",
}[process.platform];

/** Throws one `Told` that lists everything that is missing, each with what to do; gives what was found. */
export async function checkPrerequisites() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  // What Vite 8 runs on.
  const nodeIsGood = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
  const linker = process.platform === "win32" ? null : ["cc", ["--version"]];
  const [git, cc, cargo, rustup] = await Promise.all([
    capture("git", ["--version"]),
    linker ? capture(...linker) : "the linker of Rust's own toolchain",
    capture("cargo", ["--version"]),
    capture("rustup", ["--version"]),
  ]);
  const missing = [];
  if (!nodeIsGood) {
    missing.push(`Node 20.19 or later (this is ${process.versions.node}): https://nodejs.org`);
  }
  if (git === undefined) missing.push("git: https://git-scm.com/downloads");
  if (cc === undefined) missing.push(`a C compiler and linker, \`cc\`: ${compilerHelp}`);
  if (cargo === undefined) missing.push(`cargo: ${rustHelp}`);
  else if (rustup === undefined && !(await hasWasmTarget())) {
    missing.push(`rustup, or a Rust that has the target wasm32-unknown-unknown: ${rustHelp}`);
  }
  if (missing.length > 0)
    throw new Told(`Missing on this machine:\n${missing.map((m) => `- ${m}`).join("\n")}`);
  return [`Node ${process.versions.node}`, cargo, git, cc.split("\n")[0]].join(", ");
}

async function hasWasmTarget() {
  const sysroot = await capture("rustc", ["--print", "sysroot"]);
  return sysroot !== undefined && existsSync(`${sysroot}/lib/rustlib/wasm32-unknown-unknown/lib`);
}

/** Installs what package-lock.json names, unless it is all there. */
export async function installPackages() {
  if (await packagesAreThere()) return "up to date";
  await run("npm", ["ci", "--loglevel=error"], { shell: process.platform === "win32" });
}

/** For what compiles for minutes and wants them at its end. */
export async function requirePackages() {
  if (await packagesAreThere()) return;
  throw new Told(
    "The npm packages that package-lock.json names are not all installed: run `npm ci` in the root of the repository first",
  );
}

/**
 * Does node_modules hold what the lock file names, and the workspaces that are here? npm keeps a list of what it
 * installed; packages for other platforms are optional and may be missing.
 */
async function packagesAreThere() {
  const installed = inRoot("node_modules", ".package-lock.json");
  if (!existsSync(installed)) return false;
  const wanted = JSON.parse(await readFile(inRoot("package-lock.json"), "utf8")).packages;
  const present = JSON.parse(await readFile(installed, "utf8")).packages;
  return Object.entries(wanted).every(([path, { optional, peer, version, link }]) => {
    if (!path.includes("node_modules/")) return true;
    const have = present[path];
    return have ? link === have.link && version === have.version : optional || peer;
  });
}
