// `npm run fuzz`: the fuzz targets of tests/fuzz, guided by coverage; needs a C++ compiler for libFuzzer.
//   -- --seconds N     for each target (60)
//   -- codec           one target alone: codec, records, client
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { readArguments } from "./lib/arguments.mjs";
import { exec, inRoot, isMain, run, runMain, Told } from "./lib/run.mjs";

const TARGETS = {
  codec: ["seeds", "codec"],
  records: ["..", "fixtures", "records"],
  client: ["seeds", "client"],
};

/** What makes the compiler count edges, for libFuzzer to follow. */
const COVERAGE = [
  "-Cpasses=sancov-module",
  "-Cllvm-args=-sanitizer-coverage-level=4",
  "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
  "-Cllvm-args=-sanitizer-coverage-pc-table",
  "-Cllvm-args=-sanitizer-coverage-trace-compares",
  "-Ccodegen-units=1",
  "--cfg=fuzzing",
];

function options(args) {
  const { seconds, positionals } = readArguments(
    { seconds: { type: "string", default: "60", least: 1 } },
    args,
  );
  const unknown = positionals.find((name) => !(name in TARGETS));
  if (unknown) throw new Told(`no fuzz target "${unknown}": there are ${Object.keys(TARGETS).join(", ")}`);
  return { seconds, names: positionals.length > 0 ? positionals : Object.keys(TARGETS) };
}

async function fuzz(args) {
  const { seconds, names } = options(args);
  const target = inRoot("target", "fuzz");
  const env = { ...process.env, RUSTFLAGS: COVERAGE.join(" "), CARGO_TARGET_DIR: target };
  // With a target named, the flags are not for build scripts, which are linked without libFuzzer.
  const host = hostTriple();
  const build = ["build", "--manifest-path", "tests/fuzz/Cargo.toml", "--profile", "fuzz", "--target", host];
  await run("cargo", build, { env });
  for (const name of names) {
    const [corpus, findings] = ["corpus", "findings"].map((kind) => `${target}/${kind}/${name}`);
    for (const folder of [corpus, findings]) mkdirSync(folder, { recursive: true });
    const flags = [`-max_total_time=${seconds}`, "-max_len=4096", "-print_final_stats=1"];
    const folders = [corpus, inRoot("tests", "fuzz", ...TARGETS[name])];
    console.log(`${name}: ${seconds} s …`);
    const program = `${target}/${host}/fuzz/${name}`;
    const { code, output } = await exec(program, [...flags, `-artifact_prefix=${findings}/`, ...folders]);
    if (code !== 0)
      throw new Told(`${output.split("\n").slice(-40).join("\n")}\n${name} failed: ${findings}`);
    const number = (what) =>
      output
        .match(new RegExp(`${what}:\\s*(\\d+)`, "g"))
        ?.at(-1)
        ?.replace(/\D/g, "");
    console.log(`${name}: ${number("executed_units")} inputs, ${number("cov")} edges reached, nothing found`);
  }
}

function hostTriple() {
  const host = /^host: (.*)$/m.exec(execFileSync("rustc", ["-vV"], { encoding: "utf8" }))?.[1];
  if (!host) throw new Told("`rustc -vV` names no host");
  return host;
}

if (isMain(import.meta.url)) await runMain(() => fuzz(process.argv.slice(2)));
