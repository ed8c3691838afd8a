// A backend of nobody's, on the official Socket.IO server, spoken to by a profile of the application's own.
import { expect, onTestFinished, test, vi } from "vitest";
import { type ChatClient, type ChatOptions, createChat, defineProfile, type Json } from "../src/index.js";
import { rooms, serveRooms as serve } from "./rooms-server.js";
import { next, until, wasm } from "./support.js";

async function chatOf(url: string, userId: string, options: Partial<ChatOptions> = {}) {
  const getToken = () => `user:${userId}`;
  const chat = await createChat({
    url,
    profile: rooms,
    userId,
    getToken,
    storage: "memory",
    wasm,
    ...options,
  });
  onTestFinished(() => chat.close());
  await chat.connect();
  return chat;
}

test("a backend's own names: sent, answered, received, edited, read, typed", async () => {
  const { url, rows, heard } = await serve();
  const [ana, ben] = await Promise.all([chatOf(url, "ana"), chatOf(url, "ben")]);
  const received = next(ben, "message");
  const sent = await ana.send("r1", "hello");
  const acknowledged = await ana.acknowledged(sent.key);
  expect(acknowledged).toMatchObject({ id: "1", status: "acknowledged", senderId: "ana", sender: "me" });
  expect(rows).toEqual([
    { mid: 1, room: "r1", author: "ana", body: "hello", nonce: sent.key, at: expect.any(Number) },
  ]);
  const [message] = await received;
  expect(message).toMatchObject({ id: "1", conversationId: "r1", senderId: "ana", text: "hello", key: null });
  expect(ben.conversation("r1").getSnapshot()).toMatchObject({ kind: "group", unread: 1 });

  const read = next(ana, "status", ({ status }) => status === "read");
  await ben.markRead("r1", message.rowKey);
  await read;

  const updated = next(ben, "messageUpdated");
  await ana.edit(sent.rowKey, "hello again");
  expect((await updated)[0]).toMatchObject({ id: "1", text: "hello again" });

  const typing = next(ben, "typing");
  ana.setTyping("r1", true);
  expect((await typing)[0]).toMatchObject({ conversationId: "r1", userId: "ana" });
  expect(heard.filter(([event]) => event === "say")).toHaveLength(1);
});

test("a function says what goes out instead: another event, other fields, several values", async () => {
  const { url, rows, heard } = await serve();
  const turned = (text: Json | undefined) => [...String(text)].reverse().join("");
  const profile = defineProfile({
    ...rooms,
    send: (event, payload) => {
      const values = payload as { [name: string]: Json };
      if (event === "say") return { event, payload: { ...values, body: turned(values.body) } };
      return event === "keys" ? { event: "pressed", payload: ["r1", 7] } : null;
    },
  });
  const ana = await chatOf(url, "ana", { profile });
  const sent = await ana.send("r1", "hello");
  await ana.acknowledged(sent.key);
  expect(rows).toMatchObject([{ body: "olleh", nonce: sent.key }]);
  const updated = next(ana, "messageUpdated");
  await ana.edit(sent.rowKey, "as declared");
  expect((await updated)[0]).toMatchObject({ text: "as declared" });
  ana.setTyping("r1", true);
  await vi.waitFor(() => expect(heard).toContainEqual(["pressed", "r1", 7]));
});

test("what a profile's function throws keeps back what was to be sent, and is the application's to see", async () => {
  const { url, rows } = await serve();
  const seen: unknown[] = [];
  vi.stubGlobal("reportError", (error: unknown) => seen.push(error));
  onTestFinished(() => void vi.unstubAllGlobals());
  let chat: ChatClient | undefined;
  const within: unknown[] = [];
  const profile = defineProfile({
    ...rooms,
    send: (event, payload) => {
      if (event !== "say") return null;
      const { body } = payload as { body: string };
      if (body === "secret") throw new TypeError("no key for this room");
      if (body === "nested") chat?.send("r1", "from within").catch(({ code }) => within.push(code));
      return body === "shapeless" ? ({} as never) : null;
    },
  });
  chat = await chatOf(url, "ana", { profile });
  for (const text of ["secret", "shapeless"]) {
    const message = await chat.send("r1", text);
    await expect(chat.acknowledged(message.key)).rejects.toMatchObject({ code: "validation" });
  }
  for (const text of ["nested", "open"]) {
    const message = await chat.send("r1", text);
    await chat.acknowledged(message.key);
  }
  expect(rows.map(({ body }) => body)).toEqual(["nested", "open"]);
  expect(within).toEqual(["config"]);
  expect(seen).toEqual([expect.any(TypeError), expect.objectContaining({ code: "validation" })]);
});

test("what the backend refuses, and what it has no event for", async () => {
  const { url } = await serve();
  const ana = await chatOf(url, "ana");
  const refused = await ana.send("r1", "too much");
  await expect(ana.acknowledged(refused.key)).rejects.toMatchObject({ code: "validation" });
  await expect(ana.react(refused.rowKey, "👍")).rejects.toMatchObject({ code: "unsupported" });
  await expect(ana.createDirect("ben")).rejects.toMatchObject({ code: "unsupported" });
  expect(ana.guarantees).toMatchObject({ delivery: "once-or-unconfirmed", gaps: "unseen", receipts: false });
});

test("where declarations do not reach, a function says what an event stands for", async () => {
  const { url, io } = await serve();
  const ana = await chatOf(url, "ana");
  const timeline = ana.timeline("r1");
  onTestFinished(() => timeline.close());
  const others = new Promise<unknown>((resolve) => ana.wire.once("other", resolve));
  io.emit("bulk", "one\ntwo");
  io.emit("other", 7);
  const { messages } = await until(timeline, ({ messages }) => messages.length === 2);
  expect(messages.map(({ id, text, senderId }) => [id, text, senderId])).toEqual([
    ["b0", "one", "bot"],
    ["b1", "two", "bot"],
  ]);
  expect(await others).toBe(7);
});

test("a token that CONNECT carries under another name is renewed when it is refused", async () => {
  const { url } = await serve();
  const reasons: string[] = [];
  const getToken = ({ reason }: { reason: string }) => {
    reasons.push(reason);
    return reason === "refused" ? "user:ana" : "old";
  };
  await chatOf(url, "ana", { getToken });
  expect(reasons).toEqual(["connect", "refused"]);
});

test("a wrong description is refused with its place", async () => {
  const create = (spec: object) =>
    createChat({
      url: "http://localhost:1",
      profile: defineProfile(spec as never),
      userId: "ana",
      token: "t",
      wasm,
    });
  await expect(create({ ...rooms, events: { said: { as: "shout" } } })).rejects.toMatchObject({
    code: "config",
    message: expect.stringContaining('profile.events.said.as: got "shout", allowed: "message" or'),
  });
  await expect(create({ name: "x", commands: {} })).rejects.toMatchObject({
    message: "profile.commands.send: got nothing, allowed: { event, payload }: how a message is sent",
  });
  expect(() => defineProfile({ ...rooms, receive: 7 } as never)).toThrow(
    "profile.receive: got number, allowed: a function",
  );
});
