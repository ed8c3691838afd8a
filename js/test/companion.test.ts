// The profile `companion` against the official Socket.IO server, by the facts of WIRES.md: sections C and D8.
import { startCompanionServer } from "@chatwire/test-servers/companion";
import { expect, onTestFinished, test } from "vitest";
import type { ChatOptions } from "../src/index.js";
import { attemptsAt } from "./attempts.js";
import { chatOf, next, until } from "./support.js";

const me = "7";
const luna = "luna";

async function served(options: Parameters<typeof startCompanionServer>[0] = {}) {
  const server = await startCompanionServer(options);
  onTestFinished(() => server.close());
  return server;
}

const clientOf = (server: { url: string }, options: Partial<ChatOptions> = {}) =>
  chatOf(server, me, { profile: "companion", ...options });

async function online(options: Parameters<typeof startCompanionServer>[0] = {}) {
  const server = await served(options);
  const chat = await clientOf(server);
  await chat.connect();
  return { server, chat };
}

test("connects at login with token and number, disconnects at logout; both are told (C1, C5, C6)", async () => {
  const server = await served();
  const chat = await clientOf(server);
  const connected = next(chat, "connected");
  await chat.connect();
  expect(await server.auths()).toEqual([{ token: "user:7", user_id: 7 }]);
  const [{ socketId }] = await connected;
  expect(socketId).toBe(chat.connection.socketId);
  expect(socketId).toMatch(/.+/);
  const disconnected = next(chat, "disconnected");
  chat.disconnect();
  expect(await disconnected).toEqual([{ reason: expect.any(String) }]);
  expect(chat.connection.state).toBe("closed");
});

test("send_message goes out with their names and numbers, and nothing is refused (C2, C6, C7)", async () => {
  const { server, chat } = await online();
  const { key } = await chat.send(luna, "hi, Luna");
  await chat.acknowledged(key ?? "");
  await expect
    .poll(() => server.heard("send_message"))
    .toEqual([{ user_id: 7, girl_id: "luna", content: "hi, Luna", client_id: key }]);
  expect(await server.refused()).toEqual([]);
});

test("without answers a send is done when its frame has left: `sent`, and acknowledged() resolves with it (C2)", async () => {
  for (const plain of [false, true]) {
    const { server, chat } = await online({ plain, echo: false });
    const sent = await chat.send(luna, "hi");
    const done = await chat.acknowledged(sent.key ?? "");
    expect(done).toMatchObject({ rowKey: sent.rowKey, status: "sent", id: null, failure: null });
    expect(await chat.outbox()).toEqual([]);
    await expect.poll(async () => (await server.log(me, luna)).length).toBe(1);
    const timeline = chat.timeline(luna);
    const { messages } = await until(timeline, ({ messages }) => messages.length > 0);
    expect(messages.map(({ text, status, sender }) => [text, status, sender])).toEqual([
      ["hi", "sent", "me"],
    ]);
  }
});

test("the own echo is the own row, with client_id and without it (D8)", async () => {
  for (const plain of [false, true]) {
    const { server, chat } = await online({ plain });
    const timeline = chat.timeline(luna);
    const told: string[] = [];
    chat.on("message", ({ text }) => told.push(text));
    const texts = ["one", "two", "two", "three"];
    for (const text of texts) await chat.send(luna, text);
    const { messages } = await until(timeline, ({ messages }) =>
      messages.every(({ id }) => id !== null && messages.length >= texts.length),
    );
    // Whatever came twice would stand before this.
    server.says(me, luna, "and that was all");
    await until(timeline, ({ messages }) => messages.at(-1)?.sender === "ai");
    expect(messages.map(({ text }) => text)).toEqual(texts);
    expect(messages.map(({ id }) => Number(id))).toEqual(
      (await server.log(me, luna)).slice(0, 4).map(({ id }) => id),
    );
    expect(timeline.getSnapshot().messages).toHaveLength(5);
    expect(told).toEqual(["and that was all"]);
    expect(messages.every(({ status, senderId }) => status === "acknowledged" && senderId === me)).toBe(true);
  }
});

test("she types and answers; her message ends her typing (C3, C7)", async () => {
  const { server, chat } = await online();
  const typing = next(chat, "typing");
  server.types(me, luna, true);
  expect(await typing).toEqual([{ conversationId: luna, userId: luna, typing: true }]);
  expect(chat.typing(luna)).toEqual([luna]);
  const [stopped, heard] = [next(chat, "typing"), next(chat, "message")];
  const record = await server.says(me, luna, "hello!");
  expect((await heard)[0]).toMatchObject({
    id: String(record.id),
    conversationId: luna,
    sender: "ai",
    text: "hello!",
    type: "text",
  });
  expect((await stopped)[0]).toMatchObject({ typing: false });
  expect(chat.typing(luna)).toEqual([]);
});

test("typing_indicator follows the keys and stops by itself two seconds after the last one (C2, C9)", async () => {
  const { server, chat } = await online();
  const said = async () => (await server.heard("typing_indicator")) as { is_typing: boolean }[];
  const began = performance.now();
  chat.setTyping(luna, true);
  await expect.poll(said).toEqual([{ user_id: 7, girl_id: luna, is_typing: true }]);
  await expect.poll(async () => (await said()).at(-1)?.is_typing, { timeout: 5_000 }).toBe(false);
  expect(performance.now() - began).toBeGreaterThan(1_900);
  expect(performance.now() - began).toBeLessThan(3_500);
  expect(await server.refused()).toEqual([]);
});

test("markRead is mark_read with numbers, and message_read is the status `read` (C2, C3, C6)", async () => {
  const { server, chat } = await online();
  const timeline = chat.timeline(luna);
  const hers = await server.says(me, luna, "have you read this?");
  const { messages } = await until(timeline, ({ messages }) => messages.length === 1);
  await chat.markRead(luna, messages[0]?.rowKey ?? "");
  await expect
    .poll(() => server.heard("mark_read"))
    .toEqual([{ user_id: 7, girl_id: luna, message_ids: [hers.id] }]);
  expect((await server.log(me, luna))[0]?.read).toBe(true);

  const mine = await chat.send(luna, "yes");
  const shown = await until(timeline, ({ messages }) =>
    messages.some((m) => m.key === mine.key && m.id !== null),
  );
  server.reads(me, luna, Number(shown.messages.at(-1)?.id));
  await until(timeline, ({ messages }) => messages.at(-1)?.status === "read");
  expect(await server.refused()).toEqual([]);
});

test("request_photo and photo_generated go by chat.wire, and so does any event that nobody knows (C2, C3, C4)", async () => {
  const { server, chat } = await online();
  const told: unknown[] = [];
  chat.wire.on("photo_generated", (payload) => told.push(payload));
  chat.wire.on("mood_changed", (payload) => told.push(payload));
  await chat.wire.send("request_photo", { user_id: 7, girl_id: luna, context: "on the beach" });
  await expect.poll(() => told).toEqual([{ girl_id: luna, photo_url: "https://photos.example/luna.png" }]);
  server.emit(me, "mood_changed", { girl_id: luna, mood: "curious" });
  await expect.poll(() => told.at(-1)).toEqual({ girl_id: luna, mood: "curious" });
});

test("a photo of hers is a message with its address; an address that is none is told and not shown (D8)", async () => {
  const { server, chat } = await online();
  const wrong = next(chat, "protocolError");
  server.says(me, luna, "", { type: "photo", photo_url: "javascript:alert(1)" });
  expect((await wrong)[0].message).toContain("photo_url");
  const heard = next(chat, "message");
  server.says(me, luna, "for you", { type: "photo", photo_url: "https://photos.example/1.png" });
  expect((await heard)[0]).toMatchObject({
    type: "image",
    text: "for you",
    attachments: [{ type: "image", url: "https://photos.example/1.png" }],
  });
});

test("where conversations are numbers they stay numbers on the wire (C6, C7)", async () => {
  const { server, chat } = await online();
  const heard = next(chat, "message");
  server.says(me, 42, "hello");
  expect((await heard)[0].conversationId).toBe("42");
  await chat.send("42", "hi");
  await expect
    .poll(async () => (await server.heard("send_message")) as object[])
    .toMatchObject([{ girl_id: 42 }]);
});

test("down: five attempts, then it stops and says so; connect() has a new budget (C8)", async () => {
  const place = await attemptsAt();
  const chat = await clientOf(place);
  for (const attempts of [5, 10]) {
    const told = next(chat, "error");
    await expect(chat.connect()).rejects.toMatchObject({ name: "ChatError" });
    expect(chat.connection.state).toBe("failed");
    expect((await told)[0].message).toMatch(/attempts/);
    expect(place.count()).toBe(attempts);
  }
});

test("the first delays are 1 and 2 seconds, give or take a half (C8)", async () => {
  const place = await attemptsAt();
  const chat = await clientOf(place, { reconnect: {} });
  const delays: number[] = [];
  chat.on("reconnecting", ({ retryInMs }) => delays.push(retryInMs ?? 0));
  chat.connect().catch(() => {});
  await expect.poll(() => delays.length, { timeout: 5_000 }).toBe(2);
  expect(delays[0]).toBeGreaterThanOrEqual(500);
  expect(delays[0]).toBeLessThanOrEqual(1_500);
  expect(delays[1]).toBeGreaterThanOrEqual(1_000);
  expect(delays[1]).toBeLessThanOrEqual(3_000);
});

test("after a loss the budget is whole again: a server that comes back within it is found (C8)", async () => {
  const { server, chat } = await online();
  for (let round = 0; round < 3; round++) {
    const back = next(chat, "connected");
    await server.restart();
    await back;
  }
  expect(chat.connection.state).toBe("online");
});

test("a refused token is asked for anew once, and the connection goes on (C1)", async () => {
  const server = await served();
  const asked: string[] = [];
  const getToken = ({ reason }: { reason: string }) => {
    asked.push(reason);
    return reason === "refused" ? "user:7#fresh" : "expired";
  };
  const chat = await clientOf(server, { getToken });
  await chat.connect();
  expect(asked).toEqual(["connect", "refused"]);
  expect(await server.auths()).toEqual([
    { token: "expired", user_id: 7 },
    { token: "user:7#fresh", user_id: 7 },
  ]);
});

test("what is sent offline goes when the connection is back, once and in order (C2)", async () => {
  for (const plain of [false, true]) {
    const { server, chat } = await online({ plain });
    const gone = next(chat, "disconnected");
    chat.disconnect();
    await gone;
    const texts = Array.from({ length: 12 }, (_, n) => `message ${n}`);
    const sent = [];
    for (const text of texts) sent.push(await chat.send(luna, text));
    expect((await chat.outbox()).length).toBe(texts.length);
    await chat.connect();
    await Promise.all(sent.map(({ key }) => chat.acknowledged(key ?? "")));
    await expect.poll(async () => (await server.log(me, luna)).map(({ content }) => content)).toEqual(texts);
    expect(await chat.outbox()).toEqual([]);
  }
});

test("what its frame has left and the server lost is not sent again: it stays `sent` (C2)", async () => {
  for (const plain of [false, true]) {
    const { server, chat } = await online({ plain });
    server.faults.dropBeforeStore(1);
    const back = next(chat, "connected");
    const lost = await chat.send(luna, "lost");
    await chat.acknowledged(lost.key ?? "");
    await back;
    const { key } = await chat.send(luna, "stored");
    await chat.acknowledged(key ?? "");
    const timeline = chat.timeline(luna);
    await until(timeline, ({ messages }) => messages.some((m) => m.key === key && m.id !== null));
    expect((await server.log(me, luna)).map(({ content }) => content)).toEqual(["stored"]);
    expect(timeline.getSnapshot().messages.map(({ text, status }) => [text, status])).toEqual([
      ["lost", "sent"],
      ["stored", "acknowledged"],
    ]);
  }
});
