// Starting other programs: output passed through or kept, a failure that says which command failed, and nothing left
// running when we end.
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** A path inside the repository. */
export function inRoot(...parts) {
  return join(root, ...parts);
}

/** A failure whose message is meant for the reader as it stands: no stack is printed for it. */
export class Told extends Error {}

/** Is the module with this `import.meta.url` the program that node was asked to run? */
export function isMain(url) {
  return process.argv[1] !== undefined && fileURLToPath(url) === process.argv[1];
}

/** Runs `main` and turns its failure into one message and exit code 1. */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Told ? `\n${error.message}` : error);
    process.exitCode = 1;
  }
}

// ── children ────────────────────────────────────────────────────────────────
// Each child leads a process group of its own, so that a signal reaches what it has started, too (npm's shells,
// cargo's compilers, a browser under its driver), and reaches it from here alone.

const grouped = process.platform !== "win32";
const children = new Set();
let ending = false;

/** Starts a program; it is ended with us. */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { cwd: root, detached: grouped, ...options });
  children.add(child);
  child.once("exit", () => children.delete(child));
  child.once("error", () => children.delete(child));
  return child;
}

/** Has somebody asked us to end? Then a child that ends is no news. */
export function isEnding() {
  return ending;
}

/** Signals a child and all that it has started. */
export function kill(child, signal) {
  if (child.pid === undefined) return;
  try {
    process.kill(grouped ? -child.pid : child.pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/** Ends every child: politely, and after `graceMs` by force. */
export async function endChildren(graceMs = 10_000) {
  const all = [...children];
  if (all.length === 0) return;
  const gone = Promise.all(all.map((child) => new Promise((resolve) => child.once("exit", resolve))));
  for (const child of all) kill(child, "SIGTERM");
  const force = setTimeout(() => {
    for (const child of all) kill(child, "SIGKILL");
  }, graceMs);
  await gone;
  clearTimeout(force);
}

async function end(code) {
  // A second Ctrl-C does not wait for anybody.
  if (ending) for (const child of children) kill(child, "SIGKILL");
  ending = true;
  await endChildren();
  process.exit(code);
}

for (const [signal, number] of [
  ["SIGINT", 2],
  ["SIGTERM", 15],
  ["SIGHUP", 1],
]) {
  process.on(signal, () => end(128 + number));
}

// An error that nobody catches asks nobody politely.
process.on("exit", () => {
  for (const child of children) kill(child, "SIGKILL");
});

// npm starts us through a shell, and a signal that ends npm ends the shell, but does not reach us.
if (process.env.npm_lifecycle_event) {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent && !ending) end(1);
  }, 500).unref();
}

// ── running to the end ──────────────────────────────────────────────────────

/** Runs a program with its output on ours; rejects with `Told` unless it ends with code 0. */
export async function run(command, args, options = {}) {
  const { code, signal, output } = await exec(command, args, { stdio: "inherit", ...options });
  if (code !== 0) {
    const why = signal ?? `code ${code}`;
    throw new Told([`${[command, ...args].join(" ")}\nended with ${why}`, output].filter(Boolean).join("\n"));
  }
}

/** Runs a program and gives back what it wrote, or `undefined` if it could not start or failed. */
export async function capture(command, args, options = {}) {
  const { code, stdout } = await exec(command, args, { stdio: ["ignore", "pipe", "ignore"], ...options });
  return code === 0 ? stdout.trim() : undefined;
}

/**
 * Runs a program to its end. Never rejects: a program that is not there has code 127.
 * Piped output is collected; `onOutput(text)` sees it as it comes, in the order of its coming.
 */
export function exec(command, args, { onOutput, ...options } = {}) {
  return new Promise((resolve) => {
    let stdout = "";
    let output = "";
    const child = start(command, args, options);
    const collect = (stream, isStdout) => {
      stream?.setEncoding("utf8").on("data", (text) => {
        output += text;
        if (isStdout) stdout += text;
        onOutput?.(text);
      });
    };
    collect(child.stdout, true);
    collect(child.stderr, false);
    child.on("error", (error) => {
      resolve({ code: 127, signal: null, stdout, output: `${output}${error.message}\n` });
    });
    child.on("close", (code, signal) => resolve({ code, signal, stdout, output }));
  });
}
