// As the guides of these backends have it: a put and a setState for each message.
import { io } from "socket.io-client";
import { createStore } from "zustand/vanilla";
import { open as openStore, settled } from "../store.js";
import { Api, messageOf } from "../wire.js";

const openDb = (userId) =>
  openStore(`guides ${userId}`, (db) =>
    db.createObjectStore("messages", { keyPath: ["conversationId", "seq"] }),
  );

export async function open(options) {
  const db = await openDb(options.userId);
  return new Guides(options, db);
}

class Guides {
  #shown;
  #saved = [];
  #store = createStore(() => ({ conversations: [], messagesById: {}, messageIdsInConversation: {} }));

  constructor(options, db) {
    Object.assign(this, { options, db });
  }

  async show(id) {
    this.#shown = id;
  }

  async connect() {
    const { url, userId } = this.options;
    this.socket = io(url, { transports: ["websocket"], auth: { token: userId }, forceNew: true });
    this.socket.on("chat:message_received", (row) => this.#take(messageOf(row)));
    await new Promise((resolve) => this.socket.once("connect", resolve));
    this.#store.setState({ conversations: await new Api(this.options).conversations() });
  }

  get snapshot() {
    const { conversations, messagesById, messageIdsInConversation: ids } = this.#store.getState();
    const last = (id) => messagesById[ids[id]?.at(-1)];
    const rows = (ids[this.#shown] ?? []).map((id) => messagesById[id]);
    return { list: conversations.map((row) => ({ ...row, lastMessage: last(row.id) })), rows };
  }

  subscribe(listener) {
    return this.#store.subscribe(listener);
  }

  async close() {
    this.socket.disconnect();
    await Promise.all(this.#saved);
    this.db.close();
  }

  #take(message) {
    this.#store.setState(({ messagesById, messageIdsInConversation: ids }) => ({
      messagesById: { ...messagesById, [message.id]: message },
      messageIdsInConversation: {
        ...ids,
        [message.conversationId]: [...(ids[message.conversationId] ?? []), message.id],
      },
    }));
    this.#saved.push(
      settled(this.db.transaction("messages", "readwrite").objectStore("messages").put(message)),
    );
  }
}

export async function stored({ userId }) {
  const db = await openDb(userId);
  const texts = {};
  for (const row of await settled(db.transaction("messages").objectStore("messages").getAll())) {
    texts[row.conversationId] ??= [];
    texts[row.conversationId].push(row.text);
  }
  return { texts, queued: [] };
}
