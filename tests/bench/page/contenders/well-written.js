// What a good engineer would build of well-kept libraries: socket.io-client, Dexie with one bulkPut at a time, a normalised
// Zustand store that is told once in 16 ms and holds the newest messages of each conversation; an outbox with strict durability.
import Dexie from "dexie";
import { io } from "socket.io-client";
import { createStore } from "zustand/vanilla";
import { Api, messageOf, parallel, sendOf } from "../wire.js";

const windowRows = 50;
const keptRows = 100;
const batchMs = 16;

export async function open(options, { lanes = Number.POSITIVE_INFINITY } = {}) {
  const client = new WellWritten(options, lanes);
  await client.restore();
  return client;
}

class WellWritten {
  #incoming = [];
  #unsaved = [];
  #acknowledged = [];
  #saving;
  #timer;
  #shown;

  constructor(options, lanes) {
    this.options = options;
    this.lanes = lanes;
    this.api = new Api(options);
    this.store = createStore(() => ({ conversations: {}, messages: {}, idsByConversation: {} }));
    this.db = new Dexie(`well-written ${options.userId}`);
    this.db.version(1).stores({ messages: "[conversationId+seq]", conversations: "id" });
    this.queue = new Dexie(`well-written outbox ${options.userId}`, {
      chromeTransactionDurability: "strict",
    });
    this.queue.version(1).stores({ outbox: "++number" });
  }

  async restore() {
    const conversations = await this.db.conversations.toArray();
    this.store.setState({ conversations: Object.fromEntries(conversations.map((row) => [row.id, row])) });
    const byTime = (a, b) => ((a?.lastMessage?.createdAt ?? "") > (b.lastMessage?.createdAt ?? "") ? a : b);
    const newest = conversations.reduce(byTime, undefined);
    if (newest) await this.show(newest.id);
  }

  async show(id) {
    this.#shown = id;
    const range = this.db.messages
      .where("[conversationId+seq]")
      .between([id, Dexie.minKey], [id, Dexie.maxKey]);
    this.#apply((await range.reverse().limit(windowRows).toArray()).reverse());
  }

  async connect() {
    const { url, userId } = this.options;
    this.socket = io(url, { transports: ["websocket"], auth: { token: userId }, forceNew: true });
    this.socket.on("chat:message_received", (row) => this.#take([messageOf(row)]));
    await new Promise((resolve) => this.socket.once("connect", resolve));
    const list = await this.api.conversations();
    const known = this.store.getState().conversations;
    const fresh = list
      .filter(({ id }) => !known[id])
      .map(({ id, title }) => ({ id, title, cursor: 0, unread: 0 }));
    this.store.setState({
      conversations: { ...known, ...Object.fromEntries(fresh.map((row) => [row.id, row])) },
    });
    this.flushed = this.#flush();
    await parallel(list, 4, async ({ id, lastSeq }) => {
      const { cursor } = this.store.getState().conversations[id];
      if (lastSeq > cursor) await this.api.after(id, cursor, (messages) => this.#take(messages));
    });
    this.#tell();
  }

  async send(conversationId, text) {
    const key = crypto.getRandomValues(new Uint8Array(16)).toHex();
    await this.queue.outbox.add({ key, conversationId, text });
  }

  get snapshot() {
    const { conversations, messages, idsByConversation } = this.store.getState();
    const ids = idsByConversation[this.#shown]?.slice(-windowRows) ?? [];
    return { list: Object.values(conversations), rows: ids.map((id) => messages[id]) };
  }

  subscribe(listener) {
    return this.store.subscribe(listener);
  }

  async close() {
    this.socket?.disconnect();
    clearTimeout(this.#timer);
    this.#tell();
    while (this.#saving) await this.#saving;
    this.db.close();
    this.queue.close();
  }

  #take(messages) {
    this.#incoming.push(...messages);
    this.#timer ??= setTimeout(() => this.#tell(), batchMs);
  }

  #tell() {
    this.#timer = undefined;
    const incoming = this.#incoming.splice(0);
    if (incoming.length === 0) return;
    this.#unsaved.push(...this.#apply(incoming));
    this.#saving ??= this.#save();
  }

  /** Puts messages into the state; gives those that it did not know. */
  #apply(incoming) {
    const state = this.store.getState();
    const [messages, conversations] = [{ ...state.messages }, { ...state.conversations }];
    const idsByConversation = { ...state.idsByConversation };
    const fresh = incoming.filter(({ id }) => !messages[id]);
    for (const [id, rows] of Object.entries(Object.groupBy(fresh, ({ conversationId }) => conversationId))) {
      for (const row of rows) messages[row.id] = row;
      const ids = [...(idsByConversation[id] ?? []), ...rows.map((row) => row.id)];
      for (const old of ids.splice(0, ids.length - keptRows)) delete messages[old];
      idsByConversation[id] = ids;
      const { title, cursor, unread } = conversations[id];
      const lastMessage = rows.at(-1);
      const count = rows.filter(({ seq }) => seq > cursor).length;
      const next = Math.max(cursor, lastMessage.seq);
      conversations[id] = { id, title, cursor: next, unread: unread + count, lastMessage };
    }
    this.store.setState({ messages, conversations, idsByConversation });
    return fresh;
  }

  /** One transaction at a time; what comes meanwhile goes with the next. */
  async #save() {
    while (this.#unsaved.length > 0) {
      const rows = this.#unsaved.splice(0);
      const done = this.#acknowledged.splice(0);
      const { conversations } = this.store.getState();
      const heads = [...new Set(rows.map(({ conversationId }) => conversationId))].map(
        (id) => conversations[id],
      );
      await this.db.transaction("rw", this.db.messages, this.db.conversations, async () => {
        await Promise.all([this.db.messages.bulkPut(rows), this.db.conversations.bulkPut(heads)]);
      });
      if (done.length > 0) await this.queue.outbox.bulkDelete(done);
    }
    this.#saving = undefined;
  }

  async #flush() {
    const queued = await this.queue.outbox.toArray();
    const lanes = Object.values(Object.groupBy(queued, ({ conversationId }) => conversationId));
    await parallel(lanes, Math.min(this.lanes, lanes.length), async (rows) => {
      for (const row of rows) {
        const { data } = await this.socket.emitWithAck("chat:message_send", sendOf(row));
        this.#acknowledged.push(row.number);
        this.#take([messageOf(data)]);
      }
    });
  }
}

export async function stored({ userId }) {
  const client = new WellWritten({ userId });
  const texts = {};
  await client.db.messages.each(({ conversationId, text }) => {
    texts[conversationId] ??= [];
    texts[conversationId].push(text);
  });
  return { texts, queued: (await client.queue.outbox.toArray()).map(({ text }) => text) };
}
