// The design of chatwire in plain JavaScript: what the wasm must not fall behind. JSON.parse, a Set, segments of 100
// messages in one record, one transaction in flight, what is shown told once in 16 ms.
import { RawSocket } from "../raw-socket.js";
import { open as openStore, settled, write } from "../store.js";
import { Api, messageOf, parallel, sendOf } from "../wire.js";

const segmentRows = 100;
const windowRows = 50;
const batchMs = 16;

export async function open(options) {
  const client = new Plain(options);
  await client.restore();
  return client;
}

class Plain {
  #conversations = new Map();
  #dirty = new Set();
  /** Rows to be added to the outbox, and places that are done, in the next transaction. */
  #queued = [];
  #done = [];
  #outbox = [];
  #written = Promise.resolve();
  #isScheduled = false;
  #timer;
  #listeners = new Set();
  #shown;
  snapshot = { list: [], rows: [] };

  constructor(options) {
    this.options = options;
    this.api = new Api(options);
  }

  async restore() {
    this.db = await openStore(`plain ${this.options.userId}`, (db) => {
      for (const table of ["heads", "segments"]) db.createObjectStore(table);
      db.createObjectStore("outbox", { keyPath: "key" });
    });
    const transaction = this.db.transaction(["heads", "outbox"]);
    const [heads, queued] = await Promise.all(
      ["heads", "outbox"].map((table) => settled(transaction.objectStore(table).getAll())),
    );
    for (const head of heads) this.#add(JSON.parse(head));
    this.#outbox = queued.sort((a, b) => a.number - b.number);
    const byTime = (a, b) => ((a?.last?.createdAt ?? "") > (b.last?.createdAt ?? "") ? a : b);
    const newest = [...this.#conversations.values()].reduce(byTime, undefined);
    if (newest) await this.show(newest.id);
  }

  /** The last messages of a conversation are in the snapshot from now on. */
  async show(id) {
    const conversation = this.#conversations.get(id);
    await this.#load(conversation);
    const { segment, tail } = conversation;
    const earlier = tail.length < windowRows && segment > 0 ? await this.#segment(id, segment - 1) : [];
    this.#shown = { conversation, rows: [...earlier, ...tail], count: windowRows };
    this.#tell();
  }

  async connect() {
    const { url, userId } = this.options;
    this.socket = new RawSocket(url, userId, (frame) => {
      const [event, row] = JSON.parse(frame.slice(2));
      if (event === "chat:message_received") this.#take(messageOf(row));
    });
    await this.socket.opened;
    const list = await this.api.conversations();
    for (const { id, title } of list) {
      if (!this.#conversations.has(id)) this.#add({ id, title, cursor: 0, segment: 0, unread: 0 });
    }
    this.flushed = this.#flush();
    await parallel(list, 4, async ({ id, lastSeq }) => {
      const conversation = this.#conversations.get(id);
      await this.#load(conversation);
      const take = (messages) => messages.forEach((message) => void this.#take(message));
      if (lastSeq > conversation.cursor) await this.api.after(id, conversation.cursor, take);
    });
    this.#schedule();
  }

  /** Resolves when it is on disk. */
  send(conversationId, text) {
    const key = crypto.getRandomValues(new Uint8Array(16)).toHex();
    const row = { key, conversationId, text, number: performance.timeOrigin + this.#outbox.length };
    this.#outbox.push(row);
    this.#queued.push(row);
    return this.#write();
  }

  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when everything is on disk. */
  async close() {
    this.socket?.close();
    await this.#write();
    clearTimeout(this.#timer);
    this.db.close();
  }

  #add(head) {
    const isNew = head.cursor === 0;
    this.#conversations.set(head.id, { ...head, ids: new Set(), tail: isNew ? [] : undefined });
  }

  async #load(conversation) {
    conversation.tail ??= await this.#segment(conversation.id, conversation.segment);
  }

  async #segment(id, number) {
    return JSON.parse(
      await settled(this.db.transaction("segments").objectStore("segments").get([id, number])),
    );
  }

  #take(message) {
    const conversation = this.#conversations.get(message.conversationId);
    if (!conversation?.tail || conversation.ids.has(message.id) || message.seq <= conversation.cursor) return;
    conversation.ids.add(message.id);
    conversation.cursor = Math.max(conversation.cursor, message.seq);
    conversation.last = message;
    conversation.unread += 1;
    if (conversation.tail.length === segmentRows) {
      conversation.sealed = [...(conversation.sealed ?? []), [conversation.segment, conversation.tail]];
      conversation.segment += 1;
      conversation.tail = [];
    }
    conversation.tail.push(message);
    if (this.#shown?.conversation === conversation) this.#shown.rows.push(message);
    this.#dirty.add(conversation);
    this.#schedule();
  }

  #schedule() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#tell();
      this.#write();
    }, batchMs);
  }

  #tell() {
    const list = Array.from(this.#conversations.values(), ({ id, title, last, unread }) => ({
      id,
      title,
      lastMessage: last,
      unread,
    }));
    this.snapshot = { list, rows: this.#shown?.rows.slice(-this.#shown.count) ?? [] };
    for (const listener of this.#listeners) listener();
  }

  /** Everything dirty in one transaction, behind the one that is in flight. */
  #write() {
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      this.#written = this.#written.then(() => this.#writeNow());
    }
    return this.#written;
  }

  async #writeNow() {
    this.#isScheduled = false;
    const [dirty, queued, done] = [[...this.#dirty], this.#queued, this.#done];
    if (dirty.length + queued.length + done.length === 0) return;
    this.#dirty.clear();
    [this.#queued, this.#done] = [[], []];
    const durability = queued.length + done.length > 0 ? "strict" : "relaxed";
    await write(this.db, ["heads", "segments", "outbox"], durability, (heads, segments, outbox) => {
      for (const row of queued) outbox.add(row);
      for (const key of done) outbox.delete(key);
      for (const conversation of dirty) {
        const { id, title, cursor, segment, last, unread, tail, sealed = [] } = conversation;
        for (const [number, rows] of sealed) segments.put(JSON.stringify(rows), [id, number]);
        conversation.sealed = undefined;
        segments.put(JSON.stringify(tail), [id, segment]);
        heads.put(JSON.stringify({ id, title, cursor, segment, last, unread }), id);
      }
    });
  }

  /** One under way in each conversation. */
  async #flush() {
    const lanes = Object.values(Object.groupBy(this.#outbox, ({ conversationId }) => conversationId));
    await Promise.all(lanes.map((rows) => this.#flushLane(rows)));
  }

  async #flushLane(rows) {
    await this.#load(this.#conversations.get(rows[0].conversationId));
    for (const row of rows) {
      const { data } = await this.socket.ask("chat:message_send", sendOf(row));
      this.#take(messageOf(data));
      this.#done.push(row.key);
      await this.#write();
    }
  }
}

/** What the store holds, in order: texts by conversation; and what is queued. */
export async function stored(options) {
  const client = await open(options);
  const { db } = client;
  const texts = {};
  const transaction = db.transaction(["segments", "outbox"]);
  for (const segment of await settled(transaction.objectStore("segments").getAll())) {
    for (const { conversationId, text } of JSON.parse(segment)) {
      texts[conversationId] ??= [];
      texts[conversationId].push(text);
    }
  }
  const queued = await settled(db.transaction("outbox").objectStore("outbox").getAll());
  return { texts, queued: queued.sort((a, b) => a.number - b.number).map(({ text }) => text) };
}
