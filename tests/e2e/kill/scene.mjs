// The parts of a kill run: our backend, one browser with one profile, and the test page in it.
import { startReference } from "@chatwire/test-servers/reference";
import { KillableBrowser } from "../lib/browser.mjs";
import { Client, swift } from "../lib/client.mjs";
import { servePage } from "../lib/static.mjs";
import { Journal } from "./journal.mjs";

const serverArgs = ["--rate-per-s", "5000", "--rate-burst", "5000", "--script-delay-ms", "1"];

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
      scene.server = await startReference(serverArgs);
      scene.browser = await KillableBrowser.create();
    } catch (error) {
      await scene.close();
      throw error;
    }
    return scene;
  }

  /** A new round: a client is there, of whoever sends in it, and what was told before is forgotten. */
  async begin(variant, round) {
    const name = this.wire.name?.(variant.name, round) ?? `ana ${variant.name}`;
    if (name !== this.#visitor || !this.browser.isRunning) {
      await this.#leave();
      const { user } = await this.server.login(name);
      this.user = user;
      this.variant = variant;
      this.#visitor = name;
      await this.launchPage();
    }
    this.journal = new Journal();
    return this.journal;
  }

  /** A fresh page with a client that has not connected yet. */
  async launchPage() {
    if (!this.browser.isRunning) await this.browser.start();
    const { profile, wire, variant, server, user } = this;
    this.page = await this.browser.open(this.static.url, (fact) => this.journal.add(fact));
    const login = { origin: server.origin, name: user.name, id: wire.userId?.(user) ?? user.id };
    // More than a slow server leaves behind: that it is full is another story.
    const outbox = { maxQueued: 50_000 };
    this.client = await Client.on(
      this.page,
      swift(variant.url(server), login, { profile, outbox, ...variant.options }),
    );
  }

  /** What the backend has of this user's in a conversation, in its order. */
  async log(id) {
    const rows = await this.server.log(this.wire.logged(this.user, id));
    const { idOf = ({ id }) => id } = this.wire;
    return rows
      .filter(({ sender_id }) => sender_id === this.user.id)
      .map((row) => ({ ...row, id: idOf(row) }));
  }

  async #leave() {
    if (this.client === undefined || !this.browser.isRunning) return;
    await this.client.call("close");
    await this.page.close();
  }

  async close() {
    await this.browser?.remove();
    await this.server?.close();
    await this.static?.close();
  }
}
