// `npm run fuzz`: the fuzz targets of tests/fuzz, guided by coverage; needs a C++ compiler for libFuzzer.
//   -- --seconds N     for each target (60)
//   -- --minutes M     for all targets together
//   -- json records    these alone: socket_io, phoenix, json, options, rest, records, client_team, client_phoenix
//   -- --planted       each must find a defect that is planted for the purpose, in --seconds N (120)
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, complaint, fuzz } from "./fuzz/build.mjs";
import { PLANTED, SWITCH } from "./fuzz/planted.mjs";
import { dictionary, seedsOf } from "./fuzz/seeds.mjs";
import { readArguments } from "./lib/arguments.mjs";
import { exec, inRoot, isMain, root, runMain, Told } from "./lib/run.mjs";

export const TARGETS = [
  "socket_io",
  "phoenix",
  "json",
  "options",
  "rest",
  "records",
  "client_team",
  "client_phoenix",
];

function options(args) {
  const { seconds, minutes, planted, positionals } = readArguments(
    {
      seconds: { type: "string", least: 1 },
      minutes: { type: "string", least: 1 },
      planted: { type: "boolean" },
    },
    args,
  );
  const unknown = positionals.find((name) => !TARGETS.includes(name));
  if (unknown) throw new Told(`no fuzz target "${unknown}": there are ${TARGETS.join(", ")}`);
  if (minutes && (seconds || planted))
    throw new Told("--minutes M stands alone: it is for all targets together");
  const names = positionals.length > 0 ? positionals : TARGETS;
  const shared = minutes && Math.floor((minutes * 60) / names.length);
  return { planted, names, seconds: shared || seconds || (planted ? 120 : 60) };
}

/** Runs each target for so long; all are run, whatever one has found. */
async function search({ names, seconds }) {
  const scratch = inRoot("target", "fuzz");
  const programs = await build(root, scratch);
  const words = dictionary(scratch);
  const rows = [];
  const failed = [];
  for (const name of names) {
    const [corpus, findings] = ["corpus", "findings"].map((kind) => join(scratch, kind, name));
    console.log(`${name}: ${seconds} s …`);
    const folders = [corpus, ...seedsOf(name, scratch)];
    const found = await fuzz(join(programs, name), { seconds, words, findings, folders });
    if (found.code !== 0) failed.push(`${name}: ${complaint(found.output)}\nthe input is in ${findings}`);
    rows.push([name, found.figures]);
  }
  console.log(table(rows));
  if (failed.length > 0) throw new Told(failed.join("\n\n"));
  console.log("nothing found");
}

function table(rows) {
  const number = (value) => value.toLocaleString("en");
  const lines = rows.map(([name, { inputs, aSecond, reached, edges, memoryPercent }]) => [
    name,
    number(inputs),
    number(aSecond),
    `${number(reached)} of ${number(edges)}`,
    `${memoryPercent} %`,
  ]);
  const all = [["target", "inputs", "a second", "edges reached", "most memory, of its limit"], ...lines];
  const widths = all[0].map((_, column) => Math.max(...all.map((line) => line[column].length)));
  const padded = (text, column) => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column]));
  return all.map((line) => line.map(padded).join("  ")).join("\n");
}

/** Each defect is found by its target, and is nothing where it is not planted. */
async function findPlanted({ names, seconds }) {
  const scratch = inRoot("target", "fuzz-planted");
  const sources = join(scratch, "sources");
  copySources(sources);
  for (const defect of PLANTED) plant(sources, defect);
  const lib = join(sources, "src", "lib.rs");
  writeFileSync(lib, readFileSync(lib, "utf8") + SWITCH);
  const programs = await build(sources, scratch);
  const words = dictionary(scratch);
  const missed = [];
  for (const { name, target, what, says } of PLANTED.filter((defect) => names.includes(defect.target))) {
    const [corpus, findings] = ["corpus", "findings"].map((kind) => join(scratch, kind, name));
    // What an earlier run has learnt is no merit of this one.
    for (const folder of [corpus, findings]) rmSync(folder, { recursive: true, force: true });
    const program = join(programs, target);
    const folders = [corpus, ...seedsOf(target, scratch)];
    const env = { CHATWIRE_PLANTED: name };
    const begun = performance.now();
    const { code, output, figures } = await fuzz(program, {
      seconds,
      seed: 1,
      words,
      findings,
      folders,
      env,
    });
    const took = ((performance.now() - begun) / 1000).toFixed(1);
    const wrong = await verdict({ code, output, says, program, findings, seconds });
    if (wrong) missed.push(`${name} (${what}): ${wrong}`);
    else
      console.log(`${name}: found after ${took} s, ${figures.inputs.toLocaleString("en")} inputs: ${what}`);
  }
  if (missed.length > 0) throw new Told(missed.join("\n\n"));
  console.log("each planted defect was found");
}

/** What is wrong with how a planted defect was found; `undefined`: nothing. */
async function verdict({ code, output, says, program, findings, seconds }) {
  if (code === 0) return `not found in ${seconds} s`;
  if (!says.test(output)) return `something else was found:\n${complaint(output)}`;
  const input = readdirSync(findings)[0];
  if (!input) return "found, but no input was kept";
  const without = await exec(program, [join(findings, input)]);
  return without.code === 0 ? undefined : `its input fails without it, too:\n${complaint(without.output)}`;
}

/** What the targets are built of. */
function copySources(to) {
  rmSync(to, { recursive: true, force: true });
  for (const name of ["Cargo.toml", "src", "tests"]) {
    const filter = (path) => !/[\\/](?:node_modules|artifacts)(?:[\\/]|$)/.test(path.slice(root.length));
    cpSync(inRoot(name), join(to, name), { recursive: true, filter });
  }
}

function plant(sources, { name, file, from, to }) {
  const path = join(sources, file);
  const text = readFileSync(path, "utf8");
  const places = text.split(from).length - 1;
  if (places !== 1) {
    throw new Told(
      `the defect "${name}" of scripts/fuzz/planted.mjs has ${places} places in ${file}: it must have one`,
    );
  }
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
}

if (isMain(import.meta.url)) {
  await runMain(() => {
    const wish = options(process.argv.slice(2));
    return wish.planted ? findPlanted(wish) : search(wish);
  });
}
