// `npm run build`: everything that `npm start` runs and that is published, each part only where it has changed.
import { copyFile, mkdir, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buildWasm } from "./build-wasm.mjs";
import { unlessFresh } from "./lib/fresh.mjs";
import { requirePackages } from "./lib/prerequisites.mjs";
import { inRoot, isMain, run, runMain } from "./lib/run.mjs";
import { builtBinary } from "./lib/rust.mjs";
import { Steps } from "./lib/steps.mjs";

// Windows starts npm through a shell.
const npm = { shell: process.platform === "win32" };

/** The npm package `chatwire`: js/dist and js/dist-inline. Needs pkg/. */
export function buildPackage() {
  const parts = {
    inputs: ["js", "pkg/.stamp", "package-lock.json"],
    outputs: ["js/dist", "js/dist-inline", "js/pkg/inline.js"],
  };
  return unlessFresh("package", parts, () => run("npm", ["run", "build", "-w", "js"], npm));
}

/** The tarball that is published, at `file`: of what is built, where `npm pack` itself would build wasm and package first. */
export async function packInto(file) {
  for (const name of ["LICENSE-APACHE", "LICENSE-MIT"]) await copyFile(inRoot(name), inRoot("js", name));
  await buildPackage();
  const folder = dirname(file);
  await mkdir(folder, { recursive: true });
  const { version } = JSON.parse(await readFile(inRoot("js", "package.json"), "utf8"));
  await run("npm", ["pack", "--silent", "--ignore-scripts", "-w", "js", "--pack-destination", folder], npm);
  await rename(join(folder, `chatwire-${version}.tgz`), file);
}

/** The demo: www/app/dist. Needs js/dist. */
export function buildDemo() {
  const parts = { inputs: ["www/app", "js", "pkg/.stamp", "package-lock.json"], outputs: ["www/app/dist"] };
  return unlessFresh("demo", parts, () => run("npm", ["run", "build", "-w", "www/app"], npm));
}

/**
 * The reference backend, with cargo's dev profile: it builds in a fraction of the time of a release build, its
 * dependencies are those of the test build, and a chat of a few people does not feel the difference.
 * With `faults` it has the switches of the tests, and is a file of its own: `npm start` and `npm test` may run at once.
 */
export async function buildServer({ faults = false } = {}) {
  const features = faults ? ["--features", "faults"] : [];
  await run("cargo", ["build", "-p", "chatwire-server", ...features]);
  const built = await builtBinary("debug", "chatwire-server");
  if (!faults) return built;
  const kept = await builtBinary("debug", "chatwire-server-faults");
  // Renamed into place: a file that runs can be replaced, not written to.
  const next = `${kept}.${process.pid}`;
  await copyFile(built, next);
  await rename(next, kept);
  return kept;
}

async function main() {
  await requirePackages();
  const steps = new Steps(4);
  await steps.step("wasm", () => buildWasm());
  await steps.step("npm package", buildPackage);
  await steps.step("backend", async () => void (await buildServer()));
  await steps.step("demo", buildDemo);
}

if (isMain(import.meta.url)) await runMain(main);
