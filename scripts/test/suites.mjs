// Every suite of the repository: when it must exist, and what it runs.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { preparePython } from "../../tests/servers/python.mjs";
import { buildDemo, buildPackage, buildServer, packInto } from "../build.mjs";
import { buildWasm } from "../build-wasm.mjs";
import { browser } from "../lib/chromium.mjs";
import { inRoot } from "../lib/run.mjs";
import { ensureComponents, ensureWasmTarget, targetDir, wasmBindgen, wasmTarget } from "../lib/rust.mjs";
import { cargoSim } from "../sim.mjs";
import { resultsOfVitest } from "./conformance.mjs";
import { fromCargo, fromEither, fromNode, fromOwn, fromVitest } from "./counts.mjs";

const has = (path) => existsSync(inRoot(path));
const bin = (name) => inRoot("node_modules", ".bin", name);
const strict = ["--", "-D", "warnings"];

/** In the order they run: what fails fast comes first. `isDue` is false only where a part does not exist yet. */
export const suites = [
  { name: "tidy", isDue: () => has("tests/tidy"), run: tidy },
  { name: "lint", isDue: () => true, run: lint },
  { name: "rust", isDue: () => true, run: rust },
  { name: "sim", isDue: () => has("tests/sim.rs"), run: sim },
  { name: "web", isDue: () => has("src/web") || webTests().length > 0, run: web },
  { name: "js", isDue: () => has("js/package.json"), run: js },
  { name: "package", isDue: () => has("js/package.json"), run: npmPackage },
  { name: "servers", isDue: () => has("tests/servers"), run: servers },
  { name: "size", isDue: () => has("scripts/size.mjs"), run: size },
  { name: "e2e", isDue: () => has("tests/e2e"), run: e2e },
  { name: "bench", isDue: () => has("tests/bench"), run: bench },
];

async function tidy(suite) {
  await suite.tests("rules of the house", process.execPath, ["--test", ...nodeTests("tests/tidy")], {
    count: fromNode,
  });
}

async function lint(suite) {
  const isReady = await suite.need("rustfmt, clippy, wasm32", async () => {
    await ensureComponents();
    await ensureWasmTarget();
  });
  if (!isReady) return;
  await suite.check("cargo fmt", "cargo", ["fmt", "--all", "--check"]);
  const fuzzers = ["--manifest-path", "tests/fuzz/Cargo.toml"];
  await suite.check("cargo fmt, fuzzers", "cargo", ["fmt", ...fuzzers, "--check"]);
  await suite.check("clippy", "cargo", ["clippy", "--locked", "--workspace", "--all-targets", ...strict]);
  for (const feature of ["socket-io", "phoenix", "json"]) {
    const alone = ["-p", "chatwire", "--lib", "--no-default-features", "--features", feature];
    await suite.check(`clippy, ${feature} alone`, "cargo", ["clippy", ...alone, ...strict]);
  }
  const server = ["-p", "chatwire-server", "--all-targets", "--features", "faults"];
  await suite.check("clippy, server with faults", "cargo", ["clippy", ...server, ...strict]);
  const wasm = ["-p", "chatwire", "--target", wasmTarget, "--lib", ...webTestArgs()];
  await suite.check("clippy, wasm32", "cargo", ["clippy", ...wasm, ...strict]);
  await suite.check("biome", bin("biome"), ["check", "--error-on-warnings", "--max-diagnostics=100", "."]);
}

async function rust(suite) {
  const test = ["test", "--no-fail-fast"];
  await suite.tests("chatwire", "cargo", [...test, "-p", "chatwire"], { count: fromCargo });
  await suite.tests("server", "cargo", [...test, "-p", "chatwire-server"], { count: fromCargo });
  const faults = ["-p", "chatwire-server", "--features", "faults"];
  await suite.tests("server with faults", "cargo", [...test, ...faults], { count: fromCargo });
}

/** The simulator: so many schedules of faults, all kinds and cells reached, the regressions; each broken promise is caught. */
async function sim(suite) {
  await suite.tests("20,000 schedules", "cargo", cargoSim(["--schedules", "20000"]), { count: fromCargo });
  await suite.tests("mutants", "cargo", cargoSim(["--mutants"]), { count: fromOwn });
}

/** tests/web*.rs, and the unit tests of src/web, in headless Chromium. */
async function web(suite) {
  const env = { WASM_BINDGEN_TEST_TIMEOUT: "180", WASM_BINDGEN_TEST_ONLY_WEB: "1" };
  const isReady = await suite.need("browser and runner", async () => {
    await ensureWasmTarget();
    const { chrome, chromedriver } = await browser();
    const { testRunner } = await wasmBindgen();
    env.CHROMEDRIVER = chromedriver;
    env.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER = testRunner;
    env.WASM_BINDGEN_TEST_WEBDRIVER_JSON = await webdriverJson(chrome);
  });
  if (!isReady) return;
  if (webTests().length === 0) return suite.note("src/web is there, and no tests/web*.rs");
  const args = ["test", "--no-fail-fast", "-p", "chatwire", "--target", wasmTarget];
  const unit = unitTestsInWeb() ? ["--lib"] : [];
  await suite.tests("headless Chromium", "cargo", [...args, ...unit, ...webTestArgs()], {
    env,
    count: fromCargo,
  });
}

async function js(suite) {
  if (!(await suite.need("wasm", () => buildWasm()))) return;
  if (!(await suite.need("npm package", buildPackage))) return;
  if (!(await suite.need("python-socketio", preparePython))) return;
  let server;
  if (!(await suite.need("backend", async () => (server = await buildServer({ faults: true }))))) return;
  await suite.check("tsc js", bin("tsc"), ["--noEmit", "-p", "js"]);
  if (has("www/app/tsconfig.json"))
    await suite.check("tsc www/app", bin("tsc"), ["--noEmit", "-p", "www/app"]);
  const report = join(await targetDir(), "vitest.json");
  await rm(report, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  await suite.tests("vitest", bin("vitest"), ["run", ...reporters], {
    cwd: "js",
    env: { CHATWIRE_SERVER: server },
    count: async () => {
      const json = await readFile(report, "utf8");
      suite.results.push(...resultsOfVitest(json));
      return fromVitest(json);
    },
  });
}

/** What is published: its entries, types and public surface, nothing unused. */
async function npmPackage(suite) {
  if (!(await suite.need("wasm", () => buildWasm()))) return;
  const tarball = join(await targetDir(), "pack", "chatwire.tgz");
  if (!(await suite.need("npm pack", () => packInto(tarball)))) return;
  await suite.check("publint", bin("publint"), ["run", tarball, "--strict"]);
  // Files of wasm and styles have no types, and from CommonJS the package is had by `import()`, or by `require` since Node 20.19.
  const wasm = ["", "phoenix/", "json/", "several/"].map((folder) => `${folder}chatwire_bg.wasm`);
  const rules = [
    "--ignore-rules",
    "cjs-resolves-to-esm",
    "--exclude-entrypoints",
    ...wasm,
    "components/styles.css",
  ];
  await suite.check("are the types wrong", bin("attw"), [tarball, "--format", "ascii", ...rules]);
  await suite.check("public surface (js/api)", process.execPath, ["js/scripts/api.mjs"]);
  const pages = ["--test", ...nodeTests("tests/docs")];
  await suite.tests("code in README and docs", process.execPath, pages, { count: fromNode });
  await suite.check("knip", bin("knip"), []);
}

async function servers(suite) {
  let server;
  if (!(await suite.need("backend", async () => (server = await buildServer({ faults: true }))))) return;
  await suite.tests("official clients", process.execPath, ["--test", ...nodeTests("tests/servers")], {
    env: { CHATWIRE_SERVER: server },
    count: fromNode,
  });
}

async function size(suite) {
  if (!(await suite.need("wasm", () => buildWasm()))) return;
  if (!(await suite.need("npm package", buildPackage))) return;
  await suite.check("budgets", process.execPath, ["scripts/size.mjs"]);
}

async function e2e(suite) {
  const env = {};
  const isReady = await suite.need("wasm, package, demo, backend, browser", async () => {
    await buildWasm();
    await buildPackage();
    await buildDemo();
    env.CHATWIRE_SERVER = await buildServer({ faults: true });
    env.CHROME = (await browser()).chrome;
    await preparePython();
  });
  if (!isReady) return;
  await suite.tests("Playwright", "npm", ["run", "--silent", "e2e"], { env, count: fromEither });
}

/** Beside the same design in plain JavaScript, of the same run: what was reached once is kept. */
async function bench(suite) {
  const env = {};
  const isReady = await suite.need("wasm, package, browser", async () => {
    await buildWasm();
    await buildPackage();
    env.CHROME = (await browser()).chrome;
  });
  if (!isReady) return;
  await suite.tests("ratios", process.execPath, ["--test", ...nodeTests("tests/bench")], {
    env,
    count: fromNode,
  });
}

/** By name: versions of Node differ in what they make of a folder. */
function nodeTests(folder) {
  return readdirSync(inRoot(folder))
    .filter((name) => name.endsWith(".test.mjs"))
    .map((name) => `${folder}/${name}`);
}

function webTests() {
  if (!has("tests")) return [];
  return readdirSync(inRoot("tests")).filter((name) => /^web\w*\.rs$/.test(name));
}

function webTestArgs() {
  return webTests().flatMap((name) => ["--test", name.slice(0, -".rs".length)]);
}

function unitTestsInWeb() {
  if (!has("src/web")) return false;
  const files = readdirSync(inRoot("src/web"), { recursive: true }).filter((name) => name.endsWith(".rs"));
  return files.some((name) => readFileSync(inRoot("src/web", name), "utf8").includes("#[wasm_bindgen_test]"));
}

/** webdriver.json with the browser that was found: chromedriver looks for one in its own places only. */
async function webdriverJson(chrome) {
  const capabilities = JSON.parse(await readFile(inRoot("webdriver.json"), "utf8"));
  capabilities["goog:chromeOptions"].binary = chrome;
  const path = join(await targetDir(), "webdriver.json");
  await writeFile(path, JSON.stringify(capabilities));
  return path;
}
