// `npm start`: a running chat from a bare clone. Checks what the machine must have, installs and builds what is missing,
// starts the backend on a database file in .data/ and serves the demo from it: one address, nothing to configure.
//
//   -- --port N    at this port and no other, as PORT=N
//
// Plain Node without packages up to the step that installs them.
import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { buildDemo, buildPackage, buildServer } from "./build.mjs";
import { buildWasm, hasSmallBuild } from "./build-wasm.mjs";
import { noneBeside, readArguments } from "./lib/arguments.mjs";
import { checkPrerequisites, installPackages } from "./lib/prerequisites.mjs";
import { endChildren, inRoot, isEnding, runMain, start, Told } from "./lib/run.mjs";
import { remember, running } from "./lib/running.mjs";
import { Steps } from "./lib/steps.mjs";

const firstPort = 8787;
const portsToTry = 50;
const runningFile = inRoot(".data", "running");

await runMain(async () => {
  const { port } = noneBeside(readArguments({ port: { type: "string", least: 1, most: 65_535 } }));
  if (await tellIfRunning()) return;
  const asked = await askedPort(port);
  const steps = new Steps(7);
  let binary;
  await steps.step("what this machine has", checkPrerequisites);
  await steps.step("npm packages", installPackages);
  await steps.step("chatwire as wasm (Rust)", async () => buildWasm({ small: await hasSmallBuild() }));
  await steps.step("npm package chatwire", buildPackage);
  await steps.step("backend (Rust)", async () => {
    binary = await buildServer();
  });
  await steps.step("demo", buildDemo);
  let url;
  await steps.step("start", async () => {
    url = await startServer(binary, asked ?? (await freePort()));
  });
  console.log(
    `\nReady in ${steps.elapsed}. Open ${url} (a second browser profile is a second person); Ctrl-C ends it.\n`,
  );
});

/** A clone runs once: its database takes one backend at a time. */
async function tellIfRunning() {
  const url = await running(runningFile);
  if (url)
    console.log(
      `\nThe chat of this clone runs already: open ${url}. To start it anew, end that one first.\n`,
    );
  return url !== undefined;
}

/** Starts the backend and waits for its ready line; gives its address. When it dies, so do we. */
function startServer(binary, port) {
  return new Promise((resolve, reject) => {
    const args = ["--port", String(port), "--db", inRoot(".data", "chatwire.db")];
    args.push("--static", inRoot("www", "app", "dist"));
    mkdir(inRoot(".data"), { recursive: true }).then(() => {
      const server = start(binary, args, { stdio: ["ignore", "pipe", "inherit"] });
      server.once("error", (error) => reject(new Told(`${binary} does not start: ${error.message}`)));
      server.once("exit", async (code, signal) => {
        if (isEnding()) return;
        // Another start was faster.
        if (await tellIfRunning()) process.exit(0);
        console.error(`The backend has ended (${signal ?? `code ${code}`}).`);
        await endChildren();
        process.exit(code || 1);
      });
      createInterface({ input: server.stdout }).on("line", (line) => {
        const url = /^chatwire-server listening on (\S+)/.exec(line)?.[1];
        if (url) remember(runningFile, url).then(() => resolve(url), reject);
        else console.log(line);
      });
    }, reject);
  });
}

/** The port that somebody asks for, here or as PORT: it must be free. */
async function askedPort(given) {
  const asked = given ?? process.env.PORT;
  if (asked === undefined || asked === "") return undefined;
  const port = Number(asked);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Told(`PORT=${asked} is not a port: a whole number from 1 to 65535`);
  }
  if (!(await isFree(port)))
    throw new Told(`Port ${port} is taken. Choose another: PORT=${port + 1} npm start`);
  return port;
}

/** The first free port from 8787 on. */
async function freePort() {
  for (let port = firstPort; port < firstPort + portsToTry; port++) {
    if (await isFree(port)) return port;
  }
  throw new Told(
    `The ports ${firstPort} to ${firstPort + portsToTry - 1} are taken. Choose one: PORT=… npm start`,
  );
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
