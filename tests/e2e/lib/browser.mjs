// Chromium in two ways: launched by Playwright, and as a process of our own that can be killed like a power cut.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { browser as findBrowser } from "../../../scripts/lib/chromium.mjs";
import { kill, start } from "../../../scripts/lib/run.mjs";

export const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

let found;

export async function executable() {
  found ??= process.env.CHROME ?? (await findBrowser()).chrome;
  return found;
}

/** A browser for tests that let it live; contexts of it are profiles of their own. */
export async function launch() {
  return chromium.launch({ executablePath: await executable(), args: flags });
}

/** A browser with a profile that outlives it. */
export class KillableBrowser {
  #folder;
  #child;
  #browser;

  static async create() {
    const browser = new KillableBrowser();
    browser.#folder = await mkdtemp(join(tmpdir(), "chatwire-profile-"));
    await browser.start();
    return browser;
  }

  get isRunning() {
    return this.#child !== undefined;
  }

  async start() {
    const args = ["--headless", ...flags, `--user-data-dir=${this.#folder}`, "--remote-debugging-port=0"];
    const stdio = ["ignore", "ignore", "pipe"];
    const child = start(await executable(), [...args, "about:blank"], { stdio });
    this.#child = child;
    this.#browser = await chromium.connectOverCDP(await endpointOf(child));
  }

  /** A page at `url`. `onReport` hears what the page tells through the binding `report`, as it tells it. */
  async open(url, onReport) {
    const page = await this.#browser.contexts()[0].newPage();
    if (onReport) {
      const session = await page.context().newCDPSession(page);
      session.on("Runtime.bindingCalled", ({ name, payload }) => {
        if (name === "report") onReport(JSON.parse(payload));
      });
      await session.send("Runtime.enable");
      await session.send("Runtime.addBinding", { name: "report" });
    }
    await page.goto(url);
    await page.waitForFunction(() => globalThis.harness !== undefined);
    return page;
  }

  /** SIGKILL to all its processes; the profile stays. Gives the time of the signal. */
  async kill() {
    const child = this.#child;
    this.#child = undefined;
    const gone = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    const at = performance.timeOrigin + performance.now();
    kill(child, "SIGKILL");
    await gone;
    return at;
  }

  async remove() {
    if (this.#child) await this.kill();
    // Its processes are gone, but the system may still be writing what they left.
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

function endpointOf(child) {
  return new Promise((resolve, reject) => {
    const said = [];
    createInterface({ input: child.stderr }).on("line", (line) => {
      const endpoint = /^DevTools listening on (ws:\S+)$/.exec(line)?.[1];
      if (endpoint) resolve(endpoint);
      else said.push(line);
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the browser ended with ${code}:\n${said.join("\n")}`)));
  });
}
