// The parts of a run: one server, one browser, the tabs of ana in it, ben beside them, and a few conversations of both.
import { connected, rest, sealed } from "@chatwire/test-servers/client";
import { startReference } from "@chatwire/test-servers/reference";
import { servePage } from "../lib/static.mjs";
import { TabBrowser } from "../tabs/browser.mjs";
import { Member } from "./member.mjs";

const serverArgs = ["--rate-per-s", "5000", "--rate-burst", "5000"];
const conversationCount = 4;
const pageSize = 50;

export class Scene {
  /** The tabs that are open, also crashed ones that were not closed yet. */
  members = [];
  /** Everything that was sent by tabs of ana in the whole run: `{text, conversationId, tab, call, calledAt, resolvedAt}`. */
  sent = new Map();
  /** What the tabs have told in this round. */
  facts = [];
  #opened = 0;
  /** The tab that is looked at. */
  #front;

  /** @param capacity how many tabs there are to be. */
  static async open(capacity) {
    const scene = new Scene();
    scene.capacity = capacity;
    try {
      scene.page = await servePage();
      scene.server = await startReference(serverArgs);
      const [ana, ben] = await Promise.all(["ana", "ben"].map((name) => scene.server.login(name)));
      scene.ana = ana.user;
      scene.ask = rest(scene.server.url, ana.token);
      scene.ben = await connected(scene.server.url, ben.token);
      scene.browser = await TabBrowser.open();
      await scene.fill();
      scene.conversations = await scene.#newConversations(ben.user.id);
    } catch (error) {
      await scene.close();
      throw error;
    }
    return scene;
  }

  get awake() {
    return this.members.filter(({ isAwake }) => isAwake);
  }

  get frozen() {
    return this.members.filter(({ isAlive, isFrozen }) => isAlive && isFrozen);
  }

  get hung() {
    return this.members.filter(({ isAlive, isHung }) => isAlive && isHung);
  }

  /** The tab that has said last that it leads and is online, of those that are awake. */
  get leader() {
    const leading = this.awake.filter(({ leads }) => leads);
    return leading.sort((a, b) => b.connection.heardAt - a.connection.heardAt)[0];
  }

  async openTab() {
    const options = {
      url: this.server.url,
      profile: "team",
      userId: this.ana.id,
      login: { origin: this.server.origin, name: this.ana.name },
    };
    const number = ++this.#opened;
    const onFact = (member, fact) => this.#hear(member, fact);
    const member = await Member.open(this.browser, { number, url: this.page.url, options, onFact });
    this.members.push(member);
    this.#front = member;
  }

  async bringToFront(member) {
    await member.tab.bringToFront();
    this.#front = member;
  }

  /** Freezes it as browsers do: only a tab that is hidden, while another one is looked at. */
  async freeze(member) {
    await this.#lookAtAnother(member);
    await member.freeze();
  }

  /** While another one is looked at, whose timers come in time. */
  async hang(member, ms) {
    await this.#lookAtAnother(member);
    member.hang(ms);
  }

  async #lookAtAnother(member) {
    if (this.#front === member || !this.#front.isAwake) {
      await this.bringToFront(this.awake.find((other) => other !== member));
    }
  }

  async fill() {
    while (this.members.length < this.capacity) await this.openTab();
  }

  async remove(member) {
    await member.reallyClose();
    this.members = this.members.filter((other) => other !== member);
  }

  /** What was not settled yet of a tab that is still there. */
  unsettled() {
    const alive = new Set(this.members.filter(({ isAlive }) => isAlive).map(({ number }) => number));
    return [...this.sent.values()].filter((row) => !row.isSettled && alive.has(row.tab));
  }

  async benWrites(conversationId, text) {
    const row = { conversationId, contentEncrypted: sealed(text), clientMessageId: `ben ${text}` };
    const answer = await this.ben.ask("chat:message_send", row);
    if (!answer.success) throw new Error(`the server refused a message: ${JSON.stringify(answer)}`);
  }

  /** The whole history by REST, in the server's order: `[{id, text, isMine}]`. */
  async history(conversationId) {
    const rows = [];
    for (;;) {
      const after = rows.at(-1)?.seq ?? 0;
      const { status, body } = await this.ask(
        "GET",
        `/api/messages/${conversationId}?limit=${pageSize}&after=${after}`,
      );
      if (status !== 200) throw new Error(`history: ${status} ${JSON.stringify(body)}`);
      for (const { id, seq, sender_id, content_encrypted } of body.messages) {
        const text = Buffer.from(content_encrypted, "base64").toString("utf8");
        rows.push({ id: String(id), seq, text, isMine: sender_id === this.ana.id });
      }
      if (!body.has_more) return rows;
    }
  }

  async histories() {
    const logs = await Promise.all(this.conversations.map((id) => this.history(id)));
    return Object.fromEntries(this.conversations.map((id, index) => [id, logs[index]]));
  }

  async close() {
    this.ben?.close();
    await this.browser?.close();
    await this.server?.close();
    await this.page?.close();
  }

  async #newConversations(benId) {
    const ids = [];
    for (let n = 1; n <= conversationCount; n++) {
      const group = { title: `room ${n}`, members: [benId] };
      ids.push((await this.members[0].client.call("createGroup", group)).id);
    }
    for (const { client } of this.members) for (const id of ids) await client.untilConversation(id);
    return ids;
  }

  #hear({ number }, fact) {
    this.facts.push({ tab: number, ...fact });
    // A status that is told has no text: what was sent is known by it.
    const row = this.sent.get(fact.text);
    if (!row) return;
    row.isSettled = true;
    if (fact.resolved) row.resolvedAt = performance.now();
    else row.code = fact.code;
  }
}
