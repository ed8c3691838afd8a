// The parts of a kill run: our backend, the official server where a wire is played there, too, one browser with one profile,
// and the test page in it.
import { KillableBrowser } from "../lib/browser.mjs";
import { Client, swift } from "../lib/client.mjs";
import { servePage } from "../lib/static.mjs";
import { Journal } from "./journal.mjs";
import { startOfficial, startOurs } from "./servers.mjs";

export class Scene {
  /** What the pages of this round have told. */
  journal = new Journal();
  #visitor;

  /** @param profile and `wire`: its name and its description (wires.mjs). */
  static async open(profile, wire) {
    const scene = new Scene();
    Object.assign(scene, { profile, wire });
    try {
      scene.static = await servePage();
      scene.ours = await startOurs(wire);
      if (wire.variants.some(({ isOfficial }) => isOfficial)) scene.official = await startOfficial(profile);
      scene.browser = await KillableBrowser.create();
    } catch (error) {
      await scene.close();
      throw error;
    }
    return scene;
  }

  /** Where this round is played. */
  get server() {
    return this.variant.isOfficial ? this.official : this.ours;
  }

  /** A new round: a client is there, of whoever sends in it, and what was told before is forgotten. */
  async begin(variant, round) {
    const name = this.wire.name?.(variant.name, round) ?? `ana ${variant.name}`;
    if (name !== this.#visitor || !this.browser.isRunning) {
      await this.#leave();
      this.variant = variant;
      this.user = await this.server.user(name);
      this.#visitor = name;
      await this.launchPage();
    }
    this.journal = new Journal();
    return this.journal;
  }

  /** A fresh page with a client that has not connected yet. */
  async launchPage() {
    if (!this.browser.isRunning) await this.browser.start();
    const { profile, variant, server, user } = this;
    this.page = await this.browser.open(this.static.url, (fact) => this.journal.add(fact));
    const login = server.loginOf(user);
    // More than a slow server leaves behind: that it is full is another story.
    const outbox = { maxQueued: 50_000 };
    this.client = await Client.on(
      this.page,
      swift(variant.url(server), login, { profile, outbox, ...variant.options }),
    );
  }

  /** What the server has of this user's in a conversation, in its order. */
  log(id) {
    return this.server.rows(this.user, id);
  }

  async #leave() {
    if (this.client === undefined || !this.browser.isRunning) return;
    await this.client.call("close");
    await this.page.close();
  }

  async close() {
    await this.browser?.remove();
    await this.ours?.close();
    await this.official?.close();
    await this.static?.close();
  }
}
