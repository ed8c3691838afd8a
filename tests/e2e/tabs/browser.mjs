// Chromium over its raw protocol, for tests of what happens to tabs: here a page in the background is hidden, a frozen one
// stands still, and a crash is one.
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kill, start } from "../../../scripts/lib/run.mjs";
import { executable, flags } from "../lib/browser.mjs";
import { until } from "../lib/until.mjs";
import { Protocol } from "./protocol.mjs";
import { Tab } from "./tab.mjs";
import { groupOf, usageOf } from "./usage.mjs";

const endPatienceMs = 10_000;

export class TabBrowser {
  #child;
  #folder;
  #origin;
  #protocol;
  /** The last that it said on stderr, for the message of a failure. */
  #said = "";

  /** Starts it with a fresh profile and one blank tab; `flags` come on top of those of all tests. */
  static async open({ flags: more = [] } = {}) {
    const browser = new TabBrowser();
    browser.#folder = await mkdtemp(join(tmpdir(), "chatwire-tabs-"));
    try {
      await browser.#start(more);
    } catch (error) {
      await browser.close();
      throw error;
    }
    return browser;
  }

  /** Of its first process, which is the id of its group, too. */
  get pid() {
    return this.#child.pid;
  }

  /** A new tab, in front of the others, once it is loaded. */
  async newTab(url = "about:blank") {
    const tab = await Tab.attach(await this.#ask("/json/new?about:blank", { method: "PUT" }));
    if (url !== "about:blank") await tab.goto(url);
    return tab;
  }

  /** What can be attached to: pages and workers, `{id, type, title, url}`. */
  targets() {
    return this.#ask("/json/list");
  }

  /** Attaches to a worker among `targets()`: it can `evaluate`. */
  async protocolOf(target) {
    return Protocol.connect(target.webSocketDebuggerUrl);
  }

  /** Memory and CPU time of all its processes: see `usageOf`. */
  usage() {
    return usageOf(this.#child.pid);
  }

  /** Ends every process that it has started, and deletes the profile. */
  async close() {
    const child = this.#child;
    if (child?.pid !== undefined) {
      const exited = this.#hasExited() ? undefined : once(child, "exit");
      if (this.#protocol) await this.#protocol.send("Browser.close").catch(() => {});
      else kill(child, "SIGTERM");
      const force = setTimeout(() => kill(child, "SIGKILL"), endPatienceMs);
      await exited;
      clearTimeout(force);
      // Its helpers end by themselves; those that hang do not outlive it.
      const gone = async () => (await groupOf(child.pid)).length === 0;
      await until("the helpers of the browser to end", gone, { patienceMs: endPatienceMs }).catch(() =>
        kill(child, "SIGKILL"),
      );
    }
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  async #start(more) {
    const args = ["--headless", ...flags, ...more, `--user-data-dir=${this.#folder}`];
    const child = start(await executable(), [...args, "--remote-debugging-port=0", "about:blank"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child = child;
    child.once("error", (error) => {
      this.#said += error.message;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      this.#said = (this.#said + text).slice(-4_000);
    });
    const [port, path] = await until(
      () => `the browser to listen; it said:\n${this.#said}`,
      () => this.#listening(),
    );
    this.#origin = `http://127.0.0.1:${port}`;
    this.#protocol = await Protocol.connect(`ws://127.0.0.1:${port}${path}`);
  }

  /** The two lines of DevToolsActivePort, once it is written whole. */
  async #listening() {
    if (this.#hasExited()) throw new Error(`the browser ended before it listened; it said:\n${this.#said}`);
    const text = await readFile(join(this.#folder, "DevToolsActivePort"), "utf8").catch(() => "");
    const [, port, path] = /^(\d+)\n(\/devtools\/\S+)/.exec(text) ?? [];
    return path && [port, path];
  }

  async #ask(path, options) {
    const response = await fetch(`${this.#origin}${path}`, {
      ...options,
      signal: AbortSignal.timeout(endPatienceMs),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  #hasExited() {
    const child = this.#child;
    return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  }
}
