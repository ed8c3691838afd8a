// What is given to a command on its command line.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Told } from "./run.mjs";

/**
 * Reads `--name value` and `--flag`; whatever else is given is refused in words.
 * `options` as `parseArgs` takes them; a number has `least`, the smallest that is allowed, and may have `most`; a list
 * has `among`.
 */
export function readArguments(options, args = process.argv.slice(2)) {
  if (args.includes("--help")) help();
  const { values, positionals } = parsed(options, args);
  for (const [name, { least, most, among }] of Object.entries(options)) {
    if (values[name] === undefined) continue;
    if (least !== undefined) values[name] = whole(name, values[name], least, most);
    if (among !== undefined) values[name] = listed(name, values[name], among);
  }
  return { ...values, positionals };
}

/** What the program says of itself in its first lines. */
function help() {
  const lines = readFileSync(process.argv[1], "utf8").split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  console.log(
    lines
      .slice(0, end)
      .map((line) => line.replace(/^\/\/ ?/, ""))
      .join("\n"),
  );
  process.exit(0);
}

function parsed(options, args) {
  // `--name -5` is a value out of range and no option.
  const joined = args.flatMap((arg, at) => {
    if (/^-\d/.test(arg) && args[at - 1]?.startsWith("--")) return [];
    return arg.startsWith("--") && /^-\d/.test(args[at + 1] ?? "") ? [`${arg}=${args[at + 1]}`] : [arg];
  });
  try {
    return parseArgs({ args: joined, options, allowPositionals: true });
  } catch (error) {
    const known = Object.keys(options).map((name) => `--${name}`);
    const there = known.length > 0 ? `there are ${known.join(", ")}` : "there are none but --help";
    throw new Told(`${error.message.split(/\. |\n/)[0]}; ${there}`);
  }
}

/** A whole number from `least` to `most`. */
function whole(name, text, least, most = Number.MAX_SAFE_INTEGER) {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least || value > most) {
    throw new Told(`--${name} ${text}: allowed are whole numbers from ${least} to ${most}`);
  }
  return value;
}

/** Words of `among`, separated by commas. */
function listed(name, text, among) {
  const words = text.split(",");
  const unknown = words.filter((word) => !among.includes(word));
  if (unknown.length > 0) throw new Told(`--${name} ${unknown.join(",")}: allowed are ${among.join(", ")}`);
  return words;
}

/** Nothing but options is taken. */
export function noneBeside({ positionals, ...values }) {
  if (positionals.length > 0) throw new Told(`${positionals[0]}: only options are taken here`);
  return values;
}
