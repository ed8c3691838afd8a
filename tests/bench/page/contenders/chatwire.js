// The package as its users get it, with its defaults.
import { createChat } from "chatwire";

export async function open({ url, userId }) {
  const chat = await createChat({ url, profile: "team", userId, token: userId, logLevel: "error" });
  const client = new Chatwire(chat);
  const [newest] = client.snapshot.list;
  if (newest) await client.show(newest.id);
  return client;
}

class Chatwire {
  #window;

  constructor(chat) {
    this.chat = chat;
    this.list = chat.conversations();
  }

  get snapshot() {
    const rows = this.#window?.getSnapshot().messages ?? [];
    return { list: this.list.getSnapshot(), rows };
  }

  async show(id) {
    this.#window?.close();
    const shown = this.chat.timeline(id);
    this.#window = shown;
    await until(shown, () => !shown.getSnapshot().loading);
  }

  /** Resolves when what was missed is here. */
  async connect() {
    const live = new Promise((resolve) => {
      this.chat.on("phase", (phase) => phase === "live" && resolve());
    });
    await this.chat.connect();
    this.flushed = this.#flushed();
    await live;
  }

  send(conversationId, text) {
    return this.chat.send(conversationId, text);
  }

  subscribe(listener) {
    const stops = [this.list, this.#window].map((source) => source?.subscribe(listener));
    return () => stops.map((stop) => stop?.());
  }

  close() {
    return this.chat.close();
  }

  async #flushed() {
    const queued = await this.chat.outbox();
    await Promise.all(queued.map(({ key }) => this.chat.acknowledged(key)));
  }
}

function until(source, isTrue) {
  return new Promise((resolve) => {
    const look = () => isTrue() && resolve();
    source.subscribe(look);
    look();
  });
}

export async function stored({ url, userId }) {
  const chat = await createChat({ url, profile: "team", userId, token: userId, logLevel: "error" });
  const texts = {};
  for (const { id } of chat.conversations().getSnapshot()) {
    const { messages } = JSON.parse(await chat.exportConversation(id, "json"));
    texts[id] = messages.filter(({ seq }) => seq !== null).map(({ text }) => text);
  }
  return { texts, queued: (await chat.outbox()).map(({ text }) => text) };
}
