// The backends in python/, on python-socketio: each a process of its own, driven as those in this process are, with promises.
//
// They run in a virtual environment under target/, made where it is not as python/requirements.txt says.

import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { capture, inRoot, kill, run, start, Told } from "../../scripts/lib/run.mjs";

const folder = inRoot("tests", "servers", "python");
const requirements = join(folder, "requirements.txt");
const environment = inRoot("target", "python", "venv");
const bin = join(environment, process.platform === "win32" ? "Scripts" : "bin");

/** Makes the virtual environment, unless it is there as it should be. Not for two at once. */
export async function preparePython() {
  const stamp = join(environment, ".stamp");
  const wanted = await readFile(requirements, "utf8");
  if (existsSync(stamp) && (await readFile(stamp, "utf8")) === wanted) return;
  if ((await capture("python3", ["--version"])) === undefined)
    throw new Told(
      "python3 is missing, which the tests against python-socketio run on: 3.9 or later, with venv and pip",
    );
  await run("python3", ["-m", "venv", "--clear", environment]);
  const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
  await run(join(bin, "python"), [...install, "-r", requirements]);
  await writeFile(stamp, wanted);
}

/**
 * @param wire "companion", "channels" or "team"
 * @returns what the server of that name in this folder gives, with promises, but for `open` and `restart`
 */
export async function startPython(wire, { plain = false, prefix = "" } = {}) {
  const args = [join(folder, "main.py"), "--wire", wire, "--prefix", prefix, ...(plain ? ["--plain"] : [])];
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
  // It ends as its input does.
  const child = start(join(bin, "python"), args, { stdio: ["pipe", "pipe", "inherit"], env });
  const url = await readyLine(child);
  const call = async (method, args) => {
    const response = await fetch(`${new URL(url).origin}/test/call`, {
      method: "POST",
      body: JSON.stringify({ method, args }),
    });
    if (!response.ok) throw new Error(`${method}: ${response.status} ${await response.text()}`);
    return (await response.json()).value;
  };
  return {
    url,
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      kill(child, "SIGKILL");
      await gone;
    },
    ...methods(["auths", "heard", "refused", "emit", "log", "says", "types", "reads"], call),
    faults: methods(
      [
        "refuseNext",
        "refuseConnect",
        "loseAck",
        "dropBeforeStore",
        "dropAfterStore",
        "revoke",
        "dropSockets",
      ],
      (name, args) => call(`faults.${name}`, args),
    ),
  };
}

function methods(names, call) {
  return Object.fromEntries(names.map((name) => [name, (...args) => call(name, args)]));
}

function readyLine(child) {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) =>
      reject(new Error(`the Python server ended with ${code} before it was ready`)),
    );
    createInterface({ input: child.stdout }).on("line", (line) => {
      const url = /^python server listening on (\S+)$/.exec(line)?.[1];
      if (url) resolve(url);
    });
  });
}
