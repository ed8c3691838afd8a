// Building the fuzz targets, and running one.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { exec, root, run, Told } from "../lib/run.mjs";

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

/** No input is larger, and none takes longer: one that does is told as a finding. */
const LIMITS = ["-max_len=4096", "-timeout=20", "-rss_limit_mb=1024"];

/** Builds the targets of these sources; gives the folder of the programs. */
export async function build(sources, target) {
  const env = { ...process.env, RUSTFLAGS: COVERAGE.join(" "), CARGO_TARGET_DIR: target };
  // With a target named, the flags are not for build scripts, which are linked without libFuzzer.
  const host = hostTriple();
  const manifest = join(sources, "tests", "fuzz", "Cargo.toml");
  const args = ["build", "--manifest-path", manifest, "--profile", "fuzz", "--target", host];
  await run("cargo", args, { env, cwd: root });
  return join(target, host, "fuzz");
}

function hostTriple() {
  const host = /^host: (.*)$/m.exec(execFileSync("rustc", ["-vV"], { encoding: "utf8" }))?.[1];
  if (!host) throw new Told("`rustc -vV` names no host");
  return host;
}

/**
 * Runs a target for so long, or until it finds something. `folders`: the corpus that grows, then seeds.
 * Gives what libFuzzer told: `{code, output, figures}`.
 */
export async function fuzz(program, { seconds, seed, words, findings, folders, env }) {
  for (const folder of [findings, folders[0]]) mkdirSync(folder, { recursive: true });
  const flags = [
    ...LIMITS,
    `-max_total_time=${seconds}`,
    `-dict=${words}`,
    `-artifact_prefix=${findings}/`,
    "-print_final_stats=1",
    ...(seed === undefined ? [] : [`-seed=${seed}`]),
  ];
  const { code, output } = await exec(program, [...flags, ...folders], { env: { ...process.env, ...env } });
  return { code, output, figures: figuresOf(output) };
}

function figuresOf(output) {
  const last = (pattern) => Number([...output.matchAll(pattern)].at(-1)?.[1] ?? 0);
  return {
    inputs: last(/number_of_executed_units: (\d+)/g) || last(/^#(\d+)/gm),
    aSecond: last(/average_exec_per_sec: +(\d+)/g),
    reached: last(/ cov: (\d+)/g),
    edges: last(/PC tables \((\d+) PCs\)/g),
    memoryPercent: last(/^memory: (\d+) %/gm),
  };
}

/** What was wrong, in the words of the target, without libFuzzer's own. */
export function complaint(output) {
  const lines = output.split("\n");
  const at = lines.findIndex((line) => /panicked at|more memory than|ERROR: libFuzzer/.test(line));
  return lines.slice(Math.max(0, at), at + 3).join("\n");
}
