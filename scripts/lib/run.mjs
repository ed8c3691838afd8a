// Starting other programs: output passed through or kept, and a failure that says which command failed.
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

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

/** Runs a program with its output on ours; rejects with `Told` unless it ends with code 0. */
export async function run(command, args, options = {}) {
  const { code, signal } = await exec(command, args, { stdio: "inherit", ...options });
  if (code !== 0) {
    throw new Told(`${[command, ...args].join(" ")}\nended with ${signal ?? `code ${code}`}`);
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
    const child = spawn(command, args, { cwd: root, ...options });
    const collect = (stream, isStdout) => {
      stream?.setEncoding("utf8").on("data", (text) => {
        output += text;
        if (isStdout) stdout += text;
        onOutput?.(text);
      });
    };
    collect(child.stdout, true);
    collect(child.stderr, false);
    child.on("error", (error) =>
      resolve({ code: 127, signal: null, stdout, output: `${output}${error.message}\n` }),
    );
    child.on("close", (code, signal) => resolve({ code, signal, stdout, output }));
  });
}
