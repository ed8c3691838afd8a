// Firefox by WebDriver BiDi, which it speaks without a driver. Playwright has a Firefox of its own build, which is not the
// one that people have, and Puppeteer would bring fifty packages for the few commands that a smoke run needs.
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import { firefox, howToGetFirefox } from "../../../scripts/lib/firefox.mjs";
import { kill, start, Told } from "../../../scripts/lib/run.mjs";
import { inTime, until } from "./until.mjs";

/** It asks nobody but us. */
const preferences = {
  "app.update.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "toolkit.telemetry.enabled": false,
};

export class Firefox {
  #waiting = new Map();
  #number = 0;
  #folder;
  #child;
  #socket;

  static async launch() {
    const path = await firefox();
    if (!path) throw new Told(`no Firefox: ${howToGetFirefox}`);
    const browser = new Firefox();
    await browser.#start(path);
    return browser;
  }

  async #start(path) {
    this.#folder = await mkdtemp(join(tmpdir(), "chatwire-firefox-"));
    const lines = Object.entries(preferences).map(([name, value]) => `user_pref("${name}", ${value});\n`);
    await writeFile(join(this.#folder, "user.js"), lines.join(""));
    const args = ["--headless", "--no-remote", "--profile", this.#folder, "--remote-debugging-port", "0"];
    this.#child = start(path, args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#socket = new WebSocket(`${await inTime("Firefox", endpointOf(this.#child))}/session`);
    await once(this.#socket, "open");
    this.#socket.on("message", (text) => this.#hear(JSON.parse(text)));
    await this.send("session.new", { capabilities: {} });
  }

  #hear({ id, result, error, message }) {
    const { resolve, reject, method } = this.#waiting.get(id) ?? {};
    this.#waiting.delete(id);
    if (error) reject?.(new Error(`${method}: ${error}: ${message}`));
    else resolve?.(result);
  }

  /** A command of WebDriver BiDi, and what it came to. */
  send(method, params) {
    this.#number += 1;
    const id = this.#number;
    const answered = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject, method }));
    this.#socket.send(JSON.stringify({ id, method, params }));
    return inTime(method, answered);
  }

  /** A window at this address, with stores of its own: of the tabs of one window all but one are hidden. */
  async open(url) {
    const { userContext } = await this.send("browser.createUserContext", {});
    return this.openIn(userContext, url);
  }

  async openIn(userContext, url) {
    const { context } = await this.send("browsingContext.create", { type: "window", userContext });
    const page = new FirefoxPage(this, userContext, context);
    await page.goto(url);
    return page;
  }

  async close() {
    this.#socket?.close();
    if (this.#child && this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, "exit");
      kill(this.#child, "SIGKILL");
      await gone;
    }
    if (this.#folder)
      await rm(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

class FirefoxPage {
  constructor(browser, userContext, context) {
    this.browser = browser;
    this.userContext = userContext;
    this.context = context;
  }

  /** Another window on the same stores. */
  beside(url) {
    return this.browser.openIn(this.userContext, url);
  }

  close() {
    return this.browser.send("browsingContext.close", { context: this.context });
  }

  goto(url) {
    return this.browser.send("browsingContext.navigate", { context: this.context, url, wait: "complete" });
  }

  reload() {
    return this.browser.send("browsingContext.reload", { context: this.context, wait: "complete" });
  }

  /** What a function in the page comes to; arguments and result are JSON. */
  async evaluate(run, ...args) {
    const call = `async () => JSON.stringify(await (${run})(...${JSON.stringify(args)})) ?? "null"`;
    const { type, result, exceptionDetails } = await this.browser.send("script.callFunction", {
      functionDeclaration: call,
      awaitPromise: true,
      userActivation: true,
      target: { context: this.context },
    });
    if (type === "exception") throw new Error(`in the page: ${exceptionDetails.text}`);
    return JSON.parse(result.value);
  }

  /** An element that fits the selector and holds the text is there. */
  sees(selector, text = "") {
    const isThere = (selector, text) =>
      [...document.querySelectorAll(selector)].some((element) => element.textContent.includes(text));
    const shown = async () =>
      `${selector} "${text}" on: ${await this.evaluate(() => document.body.innerText)}`;
    return until(shown, () => this.evaluate(isThere, selector, text));
  }

  /** By the keys of a keyboard, into what this selector finds; at the end Enter. */
  async enter(selector, text) {
    await this.sees(selector);
    await this.evaluate((selector) => document.querySelector(selector).focus(), selector);
    const actions = [...text, "\uE007"].flatMap((value) => [
      { type: "keyDown", value },
      { type: "keyUp", value },
    ]);
    const keyboard = { type: "key", id: "keyboard", actions };
    await this.browser.send("input.performActions", { context: this.context, actions: [keyboard] });
  }

  async click(selector) {
    await this.sees(selector);
    await this.evaluate((selector) => document.querySelector(selector).click(), selector);
  }
}

async function endpointOf(child) {
  const said = [];
  for await (const line of createInterface({ input: child.stderr })) {
    const endpoint = /^WebDriver BiDi listening on (ws:\S+)$/.exec(line)?.[1];
    if (endpoint) {
      // What it says later is not kept, and must not hold it up.
      child.stderr.resume();
      return endpoint;
    }
    said.push(line);
  }
  throw new Error(`Firefox ended:\n${said.join("\n")}`);
}
