// `npm run differential`: our codecs beside the official socket.io-parser and the serializer of phoenix, both ways.
//   -- --cases N       in each direction of each protocol (100000)
//   -- --seed S        another run (1)
//   -- --from N        from this case on: a failing one alone is --from N --cases 1
import { createInterface } from "node:readline";
import { noneBeside, readArguments } from "../../scripts/lib/arguments.mjs";
import { isMain, run, runMain, start, Told } from "../../scripts/lib/run.mjs";
import { builtBinary } from "../../scripts/lib/rust.mjs";
import * as phoenix from "./phoenix.mjs";
import * as socketIo from "./socket-io.mjs";
import { Dice, shown } from "./values.mjs";

const OPTIONS = {
  cases: { type: "string", default: "100000", least: 1 },
  seed: { type: "string", default: "1", least: 0 },
  from: { type: "string", default: "0", least: 0 },
};

/** The four comparisons by name. */
export const comparisons = {
  "socket.io, theirs read here": socketIo.read,
  "socket.io, ours read there": socketIo.write,
  "phoenix, theirs read here": phoenix.read,
  "phoenix, ours read there": phoenix.write,
};

/** So many are under way: enough that neither side waits for each single answer of the other. */
const BATCH = 500;

/** Builds the program that holds our codecs; gives its path. */
export async function buildCodec() {
  await run("cargo", ["build", "--profile", "sim", "-p", "chatwire", "--example", "differential"]);
  return builtBinary("sim", "examples/differential");
}

/**
 * Runs one comparison to its end or to the first case that fails.
 * @returns how many cases of each kind there were; throws a `Told` that shows the failing case.
 */
export async function compare(program, name, { cases, seed, from = 0 }) {
  const comparison = comparisons[name];
  const codec = start(program, [], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => codec.once("close", resolve));
  const broken = new Promise((_, reject) => codec.once("error", reject));
  // Its end is told by the answers that are missing.
  codec.stdin.on("error", () => {});
  const answers = createInterface({ input: codec.stdout, crlfDelay: Number.POSITIVE_INFINITY })[
    Symbol.asyncIterator
  ]();
  const counts = {};
  try {
    let asked = batch(comparison, seed, from, from + cases);
    codec.stdin.write(lines(asked));
    while (asked.length > 0) {
      // The next are made while these are worked on.
      const next = batch(comparison, seed, asked.at(-1).number + 1, from + cases);
      if (next.length > 0) codec.stdin.write(lines(next));
      for (const made of asked) {
        const { value, done } = await Promise.race([answers.next(), broken]);
        check(comparison, made, done ? undefined : value, { name, seed });
        counts[made.kind] = (counts[made.kind] ?? 0) + 1;
      }
      asked = next;
    }
  } finally {
    codec.stdin.end();
    codec.stdout.destroy();
    await ended;
  }
  return counts;
}

function batch(comparison, seed, from, end) {
  const made = [];
  for (let number = from; number < Math.min(from + BATCH, end); number++) {
    made.push({ number, ...comparison.make(new Dice(seed, number)) });
  }
  return made;
}

function lines(made) {
  return made.map(({ order }) => `${JSON.stringify(order)}\n`).join("");
}

function check(comparison, made, line, { name, seed }) {
  let wrong;
  try {
    const answer = line === undefined ? { error: "our codec has ended" } : JSON.parse(line);
    wrong = answer.error ?? comparison.check(answer, made);
  } catch (error) {
    wrong = error.stack;
  }
  if (wrong === undefined) return;
  const { number, kind, order, wanted } = made;
  throw new Told(
    [
      `${name}: seed ${seed}, case ${number} (${kind}): ${wrong}`,
      `given to ours: ${shown(order)}`,
      `theirs: ${shown(wanted)}`,
      `ours: ${line?.slice(0, 600)}`,
      `npm run differential -- --seed ${seed} --from ${number} --cases 1`,
    ].join("\n"),
  );
}

async function main() {
  const { cases, seed, from } = noneBeside(readArguments(OPTIONS));
  const program = await buildCodec();
  for (const name of Object.keys(comparisons)) {
    const began = performance.now();
    const counts = await compare(program, name, { cases, seed, from });
    const kinds = Object.entries(counts).map(([kind, count]) => `${kind} ${count}`);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(
      `${name}: ${cases} cases of seed ${seed} are the same, ${seconds} s (${kinds.sort().join(", ")})`,
    );
  }
}

if (isMain(import.meta.url)) await runMain(main);
