// A project as an application developer makes it: an empty folder, the packed package, the files and commands of the README.
import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { packInto } from "../../../scripts/build.mjs";
import { exec, inRoot, kill, start } from "../../../scripts/lib/run.mjs";
import { until } from "./until.mjs";

const documented = "http://127.0.0.1:8787";
// Nobody is asked anything, and nobody is told.
const quiet = {
  CI: "1",
  NEXT_TELEMETRY_DISABLED: "1",
  EXPO_NO_TELEMETRY: "1",
  EXPO_OFFLINE: "1",
  BROWSER: "none",
};

export class Project {
  /** @param backend the origin of the reference backend, in place of the one that the README names. */
  static async create(t, backend) {
    const folder = await mkdtemp(join(tmpdir(), "chatwire-example-"));
    t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
    const project = new Project(t, join(folder, "project"), backend);
    project.tarball = join(folder, "chatwire.tgz");
    await mkdir(project.folder);
    await packInto(project.tarball);
    return project;
  }

  constructor(t, folder, backend) {
    this.t = t;
    this.folder = folder;
    this.backend = backend;
    // npm would take us for a workspace, and Next.js what runs it for a test.
    const { NODE_ENV: _, NODE_TEST_CONTEXT: __, ...env } = process.env;
    const own = Object.entries(env).filter(([name]) => !name.startsWith("npm_"));
    const names = ["VITE_BACKEND", "NEXT_PUBLIC_BACKEND", "EXPO_PUBLIC_BACKEND"];
    this.env = {
      ...Object.fromEntries(own),
      ...quiet,
      ...Object.fromEntries(names.map((name) => [name, backend])),
      // Metro keeps what it has compiled among the temporary files, and with it the address of the backend.
      TMPDIR: dirname(folder),
    };
  }

  /** Writes these files of the README. */
  async write(...names) {
    const all = await filesOfReadme();
    for (const name of names) {
      assert.ok(all.has(name), `the README has no file ${name}`);
      const path = join(this.folder, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, all.get(name).replaceAll(documented, this.backend));
    }
  }

  /** The example of the repository in this folder, with the tarball where it names the package. */
  async copy(folder) {
    const built = /\/(?:node_modules|\.next|\.expo|dist)(?:\/|$)/;
    const filter = (path) => !built.test(path.slice(inRoot(folder).length));
    await cp(inRoot(folder), this.folder, { recursive: true, filter });
    const path = join(this.folder, "package.json");
    const described = JSON.parse(await readFile(path, "utf8"));
    described.dependencies.chatwire = `file:${this.tarball}`;
    await writeFile(path, JSON.stringify(described));
  }

  /** Runs what the README says for installing where the line has `word`. */
  async install(word) {
    const lines = (await readme()).split("\n");
    const line = lines.find((line) => line.startsWith("npm install ") && line.includes(`${word}@`));
    assert.ok(line, `the README does not say how ${word} is installed`);
    await this.run(line.replace(/ chatwire$/, ` ${this.tarball}`));
  }

  /** Runs a command to its end, and says how long it took. */
  async run(command) {
    const [program, ...args] = command.split(" ");
    const began = performance.now();
    const options = { cwd: this.folder, env: this.env, stdio: ["ignore", "pipe", "pipe"] };
    const { code, output } = await exec(program, args, options);
    this.#say(command, began);
    assert.equal(code, 0, `${command}\n${output}`);
    return output;
  }

  /** Starts a server by `command` with a port of its own behind it; gives `{url, close()}` when it answers. */
  async serve(command, { host = "127.0.0.1" } = {}) {
    const port = await freePort();
    const url = `http://${host}:${port}/`;
    const [program, ...args] = `${command} --port ${port}`.split(" ");
    const began = performance.now();
    const options = { cwd: this.folder, env: this.env, stdio: ["ignore", "pipe", "pipe"] };
    const child = start(program, args, options);
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        said = `${said}${text}`.slice(-4_000);
      });
    }
    const gone = new Promise((resolve) => child.once("exit", resolve));
    const close = async () => {
      kill(child, "SIGTERM");
      const force = setTimeout(() => kill(child, "SIGKILL"), 5_000);
      await gone;
      clearTimeout(force);
      // What it has started and not ended itself.
      kill(child, "SIGKILL");
    };
    this.t.after(close);
    await until(
      () => `an answer from ${command}: ${said}`,
      async () => {
        assert.equal(child.exitCode, null, `${command} has ended:\n${said}`);
        return (await fetch(url).catch(() => undefined))?.ok;
      },
      { patienceMs: 180_000 },
    );
    this.#say(`${command} (until it answers)`, began);
    return { url, close };
  }

  #say(command, began) {
    const shown = command.replaceAll(this.tarball, "chatwire.tgz");
    console.log(`$ ${shown}  ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
}

const readme = () => readFile(inRoot("README.md"), "utf8");

/** Code of the README that begins with the name of its file, by that name. */
async function filesOfReadme() {
  const files = new Map();
  for (const [, text] of (await readme()).matchAll(/^```(?:js|jsx|html)\n(.*?)^```$/gms)) {
    const name = /^(?:\/\/|<!--) ([\w/]+\.\w+)/.exec(text)?.[1];
    if (name) files.set(name, text);
  }
  return files;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
