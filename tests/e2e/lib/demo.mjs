// The demo as a person uses it: by what is on the screen.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before } from "node:test";
import { fileURLToPath } from "node:url";
import { startReference } from "@chatwire/test-servers/reference";
import { launch } from "./browser.mjs";

export const dist = fileURLToPath(new URL("../../../www/app/dist", import.meta.url));
const artifacts = fileURLToPath(new URL("../artifacts", import.meta.url));
const patience = { timeout: 15_000 };

/**
 * For a file of tests: the reference backend with the demo, and a browser whose profiles end with each test.
 * @param take `({ server, browser })`, before the first test
 */
export function hostDemo({ scriptDelayMs }, take) {
  let server;
  let browser;
  before(async () => {
    server = await startReference(["--static", dist, "--script-delay-ms", String(scriptDelayMs)]);
    browser = await launch();
    take({ server, browser });
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });
}

export class Visitor {
  constructor(page) {
    this.page = page;
  }

  /** A person with a browser profile of their own, signed in. */
  static async arrive(browser, origin, name, context = {}) {
    const profile = await browser.newContext(context);
    const visitor = new Visitor(await profile.newPage());
    visitor.problems = [];
    visitor.page.on("pageerror", (error) => visitor.problems.push(String(error)));
    await visitor.page.goto(origin);
    await visitor.signIn(name);
    return visitor;
  }

  get(id) {
    return this.page.getByTestId(id);
  }

  async signIn(name) {
    await this.get("login-name").fill(name);
    await this.get("login-submit").click();
    await this.isState("online");
  }

  /** Another backend, and connected there. */
  async chooseBackend(profile) {
    await this.get("backend").selectOption(profile);
    await this.isState("online");
    assert.equal(await this.page.evaluate(() => window.chat.profile), profile);
  }

  /** How the connection is, as it is shown. */
  get connection() {
    return this.page.locator(".chatwire-connection");
  }

  get composer() {
    return this.page.locator(".chatwire-composer textarea");
  }

  get sendButton() {
    return this.page.locator(".chatwire-composer").getByRole("button", { name: "Send" });
  }

  /** In the list: conversations that there are, and those that the backend offers. */
  get items() {
    return this.page.locator(".chatwire-conversation, [data-testid=offer]");
  }

  get unread() {
    return this.page.locator(".chatwire-badge");
  }

  isState(state) {
    return this.page.locator(`.chatwire-connection[data-state=${state}]`).waitFor(patience);
  }

  /** Online, by its own socket or by that of another tab. */
  leads(leads) {
    const state = `.chatwire-connection[data-state=online][data-leader=${leads}]`;
    return this.page.locator(state).waitFor(patience);
  }

  async startChat(name) {
    await this.get("new-chat-name").fill(name);
    await this.get("new-chat-submit").click();
    await this.isIn(name);
  }

  /** A conversation by its id, where those begin so. */
  async openId(id) {
    await this.get("open-id").fill(id);
    await this.get("open-submit").click();
  }

  async open(title) {
    await this.items.filter({ hasText: title }).click(patience);
    await this.isIn(title);
  }

  /** The conversation shown is this one: the composer of the one before looks the same. */
  isIn(title) {
    return this.page.locator(".pane-head h2").filter({ hasText: title }).waitFor(patience);
  }

  async send(text) {
    await this.composer.fill(text);
    await this.sendButton.click();
  }

  /** The message with this text, in this status where one is given. */
  message(text, status) {
    const rows = this.page.locator(`.chatwire-message${status ? `[data-status=${status}]` : ""}`);
    return rows.filter({ hasText: text });
  }

  async sees(text, status) {
    try {
      await this.message(text, status).waitFor(patience);
    } catch (cause) {
      throw new Error(`no message "${text}" (${status ?? "in any status"}): ${await this.#shown()}`, {
        cause,
      });
    }
  }

  /** What stands there, for whoever reads why a test has failed. */
  async #shown() {
    const rows = await this.page
      .locator(".chatwire-message")
      .evaluateAll((rows) =>
        rows.map((row) => `${row.innerText.trim().slice(0, 40)} (${row.dataset.status})`),
      );
    const diagnostics = await this.page.evaluate(() =>
      JSON.stringify(globalThis.chat?.diagnostics?.() ?? null),
    );
    return `${rows.join(", ")}; ${diagnostics}`;
  }

  /** The texts on the screen, in order. */
  texts() {
    return this.page.locator(".chatwire-text").allTextContents();
  }

  async switchOffline() {
    await this.get("offline-switch").click();
  }

  /** The picture of a whole screen, once nothing on it moves. */
  async picture(name) {
    await mkdir(artifacts, { recursive: true });
    await this.page.screenshot({ path: join(artifacts, `${name}.png`), animations: "disabled" });
  }

  assertNoProblems() {
    assert.deepEqual(this.problems, []);
  }
}

export { patience };
