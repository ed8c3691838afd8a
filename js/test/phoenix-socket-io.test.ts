// `phoenix` over Socket.IO (P12, D7): the same events with the topic in the payload, history over REST by marks (P9), on the
// official Socket.IO server.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type ChatOptions, createChat } from "../src/index.js";
import { type Row, servePhoenix as serve, topic } from "./phoenix-socket-io-server.js";
import { next, until } from "./support.js";

const wasm = await readFile(join(import.meta.dirname, "../pkg/several/chatwire_bg.wasm"));

async function online(url: string, userId: string, options: Partial<ChatOptions> = {}) {
  const own = {
    profile: "phoenix",
    framing: "socket.io",
    token: `user:${userId}`,
    storage: "memory",
  } as const;
  const reconnect = { baseDelayMs: 20, maxDelayMs: 100 };
  const chat = await createChat({ url, userId, reconnect, wasm, ...own, ...options });
  onTestFinished(() => chat.close());
  await chat.connect();
  await until(chat.conversation("c1"), (conversation) => conversation?.phase === "live");
  return chat;
}

test("send, receive, typing, read and edit, with the topic in the payload (P7, P8, P12)", async () => {
  const { url, heard } = await serve();
  const [ana, ben] = [await online(url, "ana"), await online(url, "ben")];
  const received = next(ben, "message");
  const sent = await ana.send("c1", "hello");
  expect(await ana.acknowledged(sent.key)).toMatchObject({ id: "m1", seq: 1, status: "acknowledged" });
  expect(heard.find(([event]) => event === "message:send")?.[1]).toEqual({
    topic,
    client_id: sent.key,
    content: "hello",
    type: "text",
  });
  const [message] = await received;
  expect(message).toMatchObject({ id: "m1", senderId: "ana", text: "hello" });

  const read = next(ana, "status", ({ status }) => status === "read");
  await ben.markRead("c1", message.rowKey);
  await read;
  const typing = next(ana, "typing");
  ben.setTyping("c1", true);
  expect(await typing).toMatchObject([{ conversationId: "c1", userId: "ben", typing: true }]);
  const updated = next(ben, "messageUpdated");
  await ana.edit(sent.rowKey, "hello again");
  expect((await updated)[0]).toMatchObject({ id: "m1", text: "hello again" });
});

test("what was missed is pulled by the server's marks, once and in order (P9, P10, P12)", async () => {
  const { url, store } = await serve();
  for (const at of [1, 2, 3, 4, 5]) store("ben", { content: `missed ${at}`, client_id: `k${at}` } as Row);
  const ana = await online(url, "ana");
  const timeline = ana.timeline("c1");
  onTestFinished(() => timeline.close());
  const { messages } = await until(timeline, ({ messages }) => messages.length === 5);
  expect(messages.map(({ text }) => text)).toEqual([1, 2, 3, 4, 5].map((at) => `missed ${at}`));
  expect(ana.guarantees).toMatchObject({ delivery: "exactly-once", gaps: "filled" });
});

test("a lost answer: once where keys are kept, unconfirmed where they are not (P12, D2)", async () => {
  const full = await serve();
  const ana = await online(full.url, "ana");
  full.faults.lose = 1;
  const sent = await ana.send("c1", "hello");
  expect(await ana.acknowledged(sent.key)).toMatchObject({ id: "m1" });
  expect(full.rows).toHaveLength(1);

  const plain = await serve({ plain: true });
  const eve = await online(plain.url, "ana");
  plain.faults.lose = 1;
  const lost = await eve.send("c1", "hello");
  await expect(eve.acknowledged(lost.key)).rejects.toMatchObject({ code: "unconfirmed" });
  expect(plain.rows).toHaveLength(1);
});

test("another framing than the profile's is refused by name", async () => {
  const own = await readFile(join(import.meta.dirname, "../pkg/phoenix/chatwire_bg.wasm"));
  const options = { url: "http://localhost:1", userId: "ana", token: "t", wasm: own } as const;
  await expect(createChat({ ...options, profile: "phoenix", framing: "json" })).rejects.toThrow(
    /framing: got "json", allowed: "phoenix"/,
  );
});
