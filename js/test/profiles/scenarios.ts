// What every profile must do, said once: each scenario has two people, or one and a script, at a backend of their own.
import { expect } from "vitest";
import type { ChatClient, ChatOptions } from "../../src/index.js";
import { attemptsAt } from "../attempts.js";
import { chatOf, next, until } from "../support.js";
import type { Backend, Column } from "./backends.js";
import { Tapped } from "./tapped.js";

export type Scene = Backend & {
  column: Column;
  /** A client that has not connected yet: of ana, where nobody else is named. */
  client(options?: Partial<ChatOptions>, userId?: string): Promise<ChatClient>;
  /** Ana, online, and what she has been told. */
  online(): Promise<Ana>;
  /** Another client, or nobody where a script is there. */
  other(): Promise<ChatClient | undefined>;
};
type Ana = { chat: ChatClient; told: string[] };

export function sceneOf(column: Column, backend: Backend): Scene {
  const client: Scene["client"] = (options, userId = backend.ana) => {
    const getToken = () => backend.tokenOf(userId);
    return chatOf(backend, userId, { ...column.options, getToken, ...options });
  };
  const arrived = async (userId: string) => {
    const chat = await client({}, userId);
    await chat.connect();
    if (column.enter) await column.enter(chat, backend.place);
    else if (isListed(column)) await until(chat.conversation(backend.place), (known) => known !== null);
    return chat;
  };
  const online = async () => {
    const chat = await arrived(backend.ana);
    const told: string[] = [];
    chat.on("message", ({ id, senderId }) => senderId !== backend.ana && told.push(String(id)));
    return { chat, told };
  };
  const other = async () => (column.other === "a script" ? undefined : arrived(backend.ben));
  return { ...backend, column, client, online, other };
}

const isListed = ({ options: { profile } }: Column) => profile === "team" || profile === "phoenix";

const numbered = (count: number) => Array.from({ length: count }, (_, n) => `message ${n + 1}`);

/** Sends, and gives the message that `acknowledged()` resolves with. */
async function sent(chat: ChatClient, place: string, text: string) {
  const { key } = await chat.send(place, text);
  return chat.acknowledged(key);
}

const stored = ({ texts }: Backend, expected: string[]) => expect.poll(texts).toEqual(expected);

/** Something is said by whoever else is there: by ben himself, or by the script, which answers. */
async function otherSpeaks({ place }: Scene, chat: ChatClient, ben: ChatClient | undefined) {
  const heard = next(chat, "message", ({ sender }) => sender !== "me");
  if (ben) await sent(ben, place, "hello yourself");
  else await sent(chat, place, "hello?");
  return (await heard)[0];
}

export const scenarios: Record<string, (scene: Scene) => Promise<void>> = {
  async "connect() resolves online, and connected is told once"({ client }) {
    const chat = await client();
    const told: unknown[] = [];
    chat.on("connected", (event) => told.push(event));
    await chat.connect();
    expect(chat.connection).toMatchObject({ state: "online", leader: true });
    expect(told).toHaveLength(1);
    expect(Tapped.sockets).toHaveLength(1);
  },

  async "the guarantees are those of the table in WIRES.md"(scene) {
    const { chat } = await scene.online();
    // Behind the hello, where there is one: what it declares is told before any answer.
    await otherSpeaks(scene, chat, await scene.other());
    const { because, ...promised } = chat.guarantees;
    expect(promised).toEqual({ ...scene.column.promised, order: true });
    // A sentence for each thing that is missing, and no other.
    const sentences = [
      promised.delivery === "once-or-unconfirmed" && "keeps no keys",
      promised.delivery === "at-most-once" && "gives no answers",
      promised.gaps !== "filled" && "has no cursor",
      !promised.receipts && "tells no receipts",
    ].filter((sentence) => sentence !== false);
    expect(because).toEqual(sentences.map((sentence) => expect.stringContaining(sentence)));
  },

  async "a message is stored, and comes to what is promised of it"(scene) {
    const { chat } = await scene.online();
    const { key, rowKey } = await chat.send(scene.place, "hello 👋");
    const copy = await chat.acknowledged(key);
    const isAnswered = scene.column.promised.delivery !== "at-most-once";
    expect(copy).toMatchObject({ rowKey, status: isAnswered ? "acknowledged" : "sent", text: "hello 👋" });
    expect(copy.id === null).toBe(!isAnswered);
    await stored(scene, ["hello 👋"]);
    expect(await chat.outbox()).toEqual([]);
  },

  async "what another says is told, and stands in the timeline"(scene) {
    const { chat, told } = await scene.online();
    const timeline = chat.timeline(scene.place);
    const message = await otherSpeaks(scene, chat, await scene.other());
    const isPerson = scene.column.other === "a client";
    expect(message).toMatchObject({
      conversationId: scene.place,
      sender: isPerson ? "user" : "ai",
      ...(isPerson && { senderId: scene.ben, text: "hello yourself" }),
    });
    expect(told[0]).toBe(message.id);
    await until(timeline, ({ messages }) => messages.some(({ id }) => id === message.id));
  },

  async "typing is told"(scene) {
    const { chat } = await scene.online();
    const ben = await scene.other();
    if (scene.column.lacks.typing) return isUnsaid(scene, chat, () => chat.setTyping(scene.place, true));
    // Without a word on the conversation it belongs to the one that is open (T4).
    chat.timeline(scene.place);
    if (ben) await otherSpeaks(scene, chat, ben);
    const started = next(chat, "typing", ({ typing }) => typing);
    if (ben) ben.setTyping(scene.place, true);
    else await chat.send(scene.place, "hello?");
    expect((await started)[0].conversationId).toBe(scene.place);
    if (ben) expect(chat.typing(scene.place)).toEqual([scene.ben]);
  },

  async "what was read becomes read"(scene) {
    const { chat } = await scene.online();
    const ben = await scene.other();
    if (scene.column.lacks.receipts) {
      const { rowKey } = await otherSpeaks(scene, chat, ben);
      return isUnsaid(scene, chat, () => chat.markRead(scene.place, rowKey));
    }
    const read = next(chat, "status", ({ status }) => status === "read");
    const heard = ben && next(ben, "message");
    const { rowKey } = await chat.send(scene.place, "read this");
    // The script reads by itself.
    if (ben && heard) await ben.markRead(scene.place, (await heard)[0].rowKey);
    expect((await read)[0].rowKey).toBe(rowKey);
  },

  async "what is sent offline goes once and in order when the connection is back"(scene) {
    const { chat } = await scene.online();
    const gone = next(chat, "disconnected");
    chat.disconnect();
    await gone;
    const texts = numbered(10);
    const sends = [];
    for (const text of texts) sends.push(await chat.send(scene.place, text));
    expect(await scene.texts()).toEqual([]);
    expect(await chat.outbox()).toHaveLength(texts.length);
    await chat.connect();
    await Promise.all(sends.map(({ key }) => chat.acknowledged(key)));
    await stored(scene, texts);
    expect(await chat.outbox()).toEqual([]);
  },

  async "an answer that is lost with its connection comes to what is promised"(scene) {
    const { chat } = await scene.online();
    await sent(chat, scene.place, "before");
    await stored(scene, ["before"]);
    const socket = Tapped.last;
    socket.times = 0;
    const { key } = await chat.send(scene.place, "once");
    const fate = chat.acknowledged(key).then(
      ({ status }) => status,
      ({ code }) => code,
    );
    await stored(scene, ["before", "once"]);
    const back = next(chat, "connected");
    socket.terminate();
    await back;
    const fates = {
      "exactly-once": "acknowledged",
      "once-or-unconfirmed": "unconfirmed",
      "at-most-once": "sent",
    };
    expect(await fate).toBe(fates[scene.column.promised.delivery]);
    await sent(chat, scene.place, "after");
    await stored(scene, ["before", "once", "after"]);
  },

  async "a refused token is asked for anew once"(scene) {
    const reasons: string[] = [];
    const getToken = ({ reason }: { reason: string }) => {
      reasons.push(reason);
      return reason === "refused" ? scene.tokenOf(scene.ana) : "expired";
    };
    const chat = await scene.client({ getToken });
    await chat.connect();
    expect(reasons).toEqual(["connect", "refused"]);
    await sent(chat, scene.place, "let in");
    await stored(scene, ["let in"]);
  },

  async "nobody there: so many attempts, failed, and connect() has a new budget"(scene) {
    const nowhere = await attemptsAt();
    const url = nowhere.url + new URL(scene.url).pathname;
    const chat = await scene.client({ url, reconnect: { baseDelayMs: 5, maxDelayMs: 10, maxAttempts: 3 } });
    for (const attempts of [3, 6]) {
      const told = next(chat, "error");
      await expect(chat.connect()).rejects.toMatchObject({ name: "ChatError" });
      expect(chat.connection.state).toBe("failed");
      expect((await told)[0].message).toMatch(/attempts/);
      expect(nowhere.count()).toBe(attempts);
    }
  },

  async "garbage from the server is an event, and the client goes on"(scene) {
    const { chat } = await scene.online();
    const wrong: string[] = [];
    chat.on("protocolError", ({ message }) => wrong.push(message));
    for (const frame of garbage) {
      // Some of it costs the connection.
      if (chat.connection.state !== "online") await next(chat, "connected");
      Tapped.last.say(frame);
      await sent(chat, scene.place, `behind ${garbage.indexOf(frame)}`);
    }
    expect(wrong.length).toBeGreaterThan(0);
    const texts = garbage.map((_, at) => `behind ${at}`);
    if (scene.column.promised.delivery === "exactly-once") await stored(scene, texts);
    expect(await chat.outbox()).toEqual([]);
  },

  async "what comes twice is told once and shown once"(scene) {
    const { chat, told } = await scene.online();
    const timeline = chat.timeline(scene.place);
    Tapped.last.times = 2;
    const ben = await scene.other();
    await otherSpeaks(scene, chat, ben);
    await otherSpeaks(scene, chat, ben);
    const mine = await sent(chat, scene.place, "mine");
    const { messages } = await until(timeline, ({ messages }) =>
      messages.some(({ rowKey }) => rowKey === mine.rowKey),
    );
    expect(told.length).toBeGreaterThanOrEqual(2);
    expect(new Set(told).size).toBe(told.length);
    const ids = messages.map(({ id }) => id).filter((id) => id !== null);
    expect(new Set(ids).size).toBe(ids.length);
    expect(messages.filter(({ text }) => text === "mine")).toHaveLength(1);
  },

  async "close() ends the socket, and what is asked after it is refused"(scene) {
    const { chat } = await scene.online();
    const socket = Tapped.last;
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await chat.close();
    await closed;
    expect(chat.connection.state).toBe("closed");
    await expect(chat.send(scene.place, "too late")).rejects.toMatchObject({ code: "closed" });
    expect(Tapped.sockets).toHaveLength(1);
  },
};

/** What no framing understands, or nothing that was asked for. */
const garbage = [
  "}{",
  "",
  "\u0000",
  "42[",
  "[1,2",
  "43999[]",
  '{"type":7}',
  '{"type":"message","payload":[]}',
  "[null,null,null,null,null]",
  '["1","1","conversation:x"]',
  new Uint8Array([255, 254, 0, 1]),
];

/** A wire without a word for it says nothing: of what goes out there is the next message alone. */
async function isUnsaid(scene: Scene, chat: ChatClient, act: () => unknown) {
  const socket = Tapped.sockets[0] as Tapped;
  const before = socket.out.length;
  await act();
  await sent(chat, scene.place, "hello");
  expect(socket.out.slice(before)).toHaveLength(1);
}
