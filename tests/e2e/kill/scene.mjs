// The parts of a kill run: one server, one browser with one profile, and the test page in it.
import { startReference } from "@chatwire/test-servers/reference";
import { KillableBrowser } from "../lib/browser.mjs";
import { Client, swift } from "../lib/client.mjs";
import { servePage } from "../lib/static.mjs";
import { Journal } from "./journal.mjs";

const serverArgs = ["--rate-per-s", "5000", "--rate-burst", "5000"];

export class Scene {
  /** What the pages of this round have told. */
  journal = new Journal();

  static async open() {
    const scene = new Scene();
    try {
      scene.static = await servePage();
      scene.server = await startReference(serverArgs);
      scene.browser = await KillableBrowser.create();
      scene.login = {
        origin: scene.server.origin,
        name: "ana",
        id: (await scene.server.login("ana")).user.id,
      };
      await scene.server.login("ben");
      await scene.launchPage();
    } catch (error) {
      await scene.close();
      throw error;
    }
    return scene;
  }

  /** A fresh page with a client that has not connected yet. */
  async launchPage() {
    if (!this.browser.isRunning) await this.browser.start();
    const page = await this.browser.open(this.static.url, (fact) => this.journal.add(fact));
    this.client = await Client.on(page, swift(this.server.url, this.login));
  }

  /** A new round: what the last one has told is forgotten. */
  beginJournal() {
    this.journal = new Journal();
    return this.journal;
  }

  /** New conversations of ana and ben, known to the client. */
  async newConversations(count) {
    const { user } = await this.server.login("ben");
    const ids = [];
    for (let i = 0; i < count; i++) {
      const { id } = await this.client.call("createGroup", { title: `room ${i + 1}`, members: [user.id] });
      ids.push(id);
    }
    return ids;
  }

  async close() {
    await this.browser?.remove();
    await this.server?.close();
    await this.static?.close();
  }
}
