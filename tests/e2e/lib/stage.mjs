// What most suites stand on: the test page, a server, a browser; and people in it.
import { startReference } from "@chatwire/test-servers/reference";
import { launch } from "./browser.mjs";
import { Client, swift } from "./client.mjs";
import { servePage } from "./static.mjs";

export class Stage {
  #ends = [];
  #contexts = [];
  #pairs = 0;

  /** @param args flags of the reference backend; null: without one. */
  static async open({ args = [] } = {}) {
    const stage = new Stage();
    try {
      stage.page = stage.#keep(await servePage());
      if (args) stage.server = stage.#keep(await startReference(args));
      stage.browser = stage.#keep(await launch());
    } catch (error) {
      await stage.close();
      throw error;
    }
    return stage;
  }

  /** A person with a profile of their own, at the reference backend; `prepare(page)` runs before the page loads. */
  async person(name, { prepare, ...options } = {}) {
    return this.client(swift(this.server.url, await this.loginOf(name), options), prepare);
  }

  async loginOf(name) {
    return { origin: this.server.origin, name, id: await this.idOf(name) };
  }

  /** A client with these options, in a profile of its own. */
  async client(options, prepare) {
    return Client.on(await this.blank(prepare), options);
  }

  /** The test page in a profile of its own, or in this one, without a client. */
  async blank(prepare, context) {
    const page = await (context ?? (await this.profile())).newPage();
    await prepare?.(page);
    await openHarness(page, this.page.url);
    return page;
  }

  /** A browser profile, in which pages can be opened one after the other on the same store. */
  async profile() {
    const context = await this.browser.newContext();
    this.#contexts.push(context);
    return context;
  }

  async idOf(name) {
    return (await this.server.login(name)).user.id;
  }

  /** An ana and a ben whom nobody knows yet, online, with a direct conversation that both know. */
  async pair(options) {
    const n = ++this.#pairs;
    const names = [`ana ${n}`, `ben ${n}`];
    const [ana, ben] = await Promise.all(names.map((name) => this.person(name, options)));
    await Promise.all([ana.connect(), ben.connect()]);
    const { id } = await ana.call("createDirect", ben.userId);
    await ben.untilConversation(id);
    return { ana, ben, id };
  }

  /** Everybody goes, profiles and all; server and browser stay. */
  async leave() {
    for (const context of this.#contexts.splice(0)) await context.close();
  }

  async close() {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }

  #keep(part) {
    this.#ends.push(() => part.close());
    return part;
  }
}

/** Loads the test page and waits until it can be driven. */
export async function openHarness(page, url) {
  await page.goto(url);
  await page.waitForFunction(() => globalThis.harness !== undefined);
}
