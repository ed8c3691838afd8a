// The backend's own events against the official Socket.IO server: bytes, answers in both directions, namespaces, recovery.

import { startTeamServer } from "@chatwire/test-servers/team";
import { io } from "socket.io-client";
import { expect, onTestFinished, test } from "vitest";
import type { Requests } from "../src/requests.js";
import { Wire } from "../src/wire.js";
import { chatOf, next, pair, until } from "./support.js";

async function served(options: Parameters<typeof startTeamServer>[0] = {}) {
  const server = await startTeamServer(options);
  onTestFinished(() => server.close());
  return server;
}

async function online(server: { url: string }, options = {}) {
  const chat = await chatOf(server, "ana", options);
  await chat.connect();
  return chat;
}

/** What a listener is given, at its first call. */
function heard(chat: Awaited<ReturnType<typeof online>>, event: string): Promise<unknown[]> {
  return new Promise((resolve) => {
    chat.wire.once(event, (...values) => resolve(values));
  });
}

test("bytes go out and come back at any depth, in events and in answers (E3, E6)", async () => {
  const chat = await online(await served());
  const payload = {
    photo: new Uint8Array([0, 1, 255]),
    list: [{ empty: new Uint8Array() }, new Uint8Array([7]).buffer, "text", null],
    deep: { deeper: [new Uint8Array(new Array(70_000).fill(9))] },
  };
  const event = heard(chat, "test:echoed");
  const answer = await chat.wire.send("test:echo", payload, { ack: true });
  const same = {
    photo: new Uint8Array([0, 1, 255]),
    list: [{ empty: new Uint8Array() }, new Uint8Array([7]), "text", null],
    deep: { deeper: [new Uint8Array(new Array(70_000).fill(9))] },
  };
  expect(answer).toEqual(same);
  expect(await event).toEqual([same, "and more", { topic: "" }]);
});

test("a server's question is answered by who listens, with bytes, and once (E7)", async () => {
  const chat = await online(await served());
  chat.wire.on("test:question", (question, context) => {
    context.answer(question, new Uint8Array([1, 2]), { nested: [new Uint8Array([3])] });
    context.answer("a second answer is not sent");
  });
  const told = await chat.wire.send("test:ask", { a: new Uint8Array([5]) }, { ack: true });
  expect(told).toEqual({
    answers: [{ a: new Uint8Array([5]) }, new Uint8Array([1, 2]), { nested: [new Uint8Array([3])] }],
  });
});

test("half a character is sent as the replacement for one, and nothing else changes", async () => {
  const chat = await online(await served());
  const payload = {
    cut: "\ud83d!",
    whole: "👍",
    "\udc4d": 1,
    text: String.raw`\ud800 \\ud800 "`,
    tail: "\\",
  };
  expect(await chat.wire.send("test:echo", payload, { ack: true })).toEqual({
    cut: "\ufffd!",
    whole: "👍",
    "\ufffd": 1,
    text: payload.text,
    tail: "\\",
  });
});

test("a value that holds itself is refused at once", async () => {
  const chat = await online(await served());
  const ring: { a?: unknown; b?: unknown } = {};
  Object.assign(ring, { a: ring, b: ring });
  await expect(chat.wire.send("test:echo", ring as never)).rejects.toMatchObject({ code: "validation" });
  // The official parser ends the connection over a placeholder that is none, and over an eleventh attachment.
  const odd = { bytes: new Uint8Array([1]), own: { _placeholder: true, num: "map" } };
  const many = new Array(11).fill(new Uint8Array([1]));
  for (const payload of [odd, many]) {
    await expect(chat.wire.send("test:echo", payload, { ack: true })).rejects.toMatchObject({
      code: "validation",
    });
  }
  expect(await chat.wire.send("test:echo", many.slice(1), { ack: true })).toEqual(many.slice(1));
  const alone = { own: { _placeholder: true, num: "map" } };
  expect(await chat.wire.send("test:echo", alone, { ack: true })).toEqual(alone);
});

test("more attachments than the server takes in a frame are refused here (E12)", async () => {
  const chat = await online(await served({ maxPayload: 2_000 }));
  const large = new Uint8Array(3_000);
  await expect(chat.wire.send("test:echo", { large }, { ack: true })).rejects.toMatchObject({
    code: "tooLarge",
  });
  await expect(chat.wire.send("test:echo", [1], { ack: true })).resolves.toEqual([1]);
});

test("another namespace than the default one is joined, and an unknown one is refused (E4, E8)", async () => {
  const server = await served({ namespace: "/chat" });
  const chat = await online(server, { endpoint: { namespace: "/chat" } });
  await expect(chat.wire.send("test:echo", "hi", { ack: true })).resolves.toBe("hi");
  const lost = await chatOf(server, "ben", {
    endpoint: { namespace: "/elsewhere" },
    reconnect: { baseDelayMs: 10, maxDelayMs: 20, maxAttempts: 3 },
  });
  await expect(lost.connect()).rejects.toMatchObject({
    message: expect.stringContaining("Invalid namespace"),
  });
});

/** `/news` takes everybody and asks back; `/staff` takes those with a badge. */
async function withNamespaces(options = {}) {
  const server = await served(options);
  const auths: unknown[] = [];
  server.of("/news").on("connection", (socket) => {
    auths.push(socket.handshake.auth);
    socket.on("ask", (payload, answer) => {
      socket.emit("question", payload, (...answers: unknown[]) => answer(answers));
    });
  });
  server
    .of("/staff")
    .use((socket, next) => next(socket.handshake.auth.badge ? undefined : new Error("forbidden")));
  return { server, auths };
}

test("several namespaces on one connection: events, bytes and answers of each its own (E4, E6, E7)", async () => {
  const { server, auths } = await withNamespaces();
  const chat = await online(server);
  await chat.wire.join("/news", { room: 7 });
  expect(auths).toEqual([{ token: "user:ana", room: 7 }]);
  const told = heard(chat, "headline");
  server.of("/news").emit("headline", { text: "hello" }, new Uint8Array([1, 2]));
  expect(await told).toEqual([{ text: "hello" }, new Uint8Array([1, 2]), { topic: "/news" }]);
  chat.wire.on("question", (question, context) => context.answer(question, "from ana"));
  const asked = chat.wire.send("ask", new Uint8Array([9]), { topic: "/news", ack: true });
  // At the same time, in the session's own namespace.
  const [answer, echoed] = await Promise.all([asked, chat.wire.send("test:echo", "own", { ack: true })]);
  expect(answer).toEqual([new Uint8Array([9]), "from ana"]);
  expect(echoed).toBe("own");
  const sockets = ["/", "/news"].flatMap((name) => [...server.of(name).sockets.values()]);
  expect(sockets.length).toBe(2);
  expect(new Set(sockets.map(({ conn }) => conn)).size).toBe(1);
});

test("a namespace that refuses says why, and the rest goes on (E8)", async () => {
  const { server } = await withNamespaces();
  const chat = await online(server);
  await expect(chat.wire.join("/staff")).rejects.toMatchObject({
    code: "forbidden",
    message: "the server refused to join /staff: forbidden",
  });
  await expect(chat.wire.send("x", 1, { topic: "/nowhere" })).rejects.toMatchObject({
    message: "the server refused to join /nowhere: Invalid namespace",
  });
  await chat.wire.join("/staff", { badge: true });
  expect(await chat.wire.send("test:echo", "on", { ack: true })).toBe("on");
  await expect(chat.wire.join("staff")).rejects.toMatchObject({ code: "validation" });
});

test("what is joined, left and joined again in one breath is joined, with what was said last, on the same connection", async () => {
  const { server, auths } = await withNamespaces();
  const chat = await online(server);
  let losses = 0;
  chat.on("disconnected", () => losses++);
  for (let round = 0; round < 5; round++) {
    const first = chat.wire.join("/news", { round, n: 1 });
    const left = chat.wire.leave("/news");
    const second = chat.wire.join("/news", { round, n: 2 });
    await Promise.all([first, left, second]);
    expect(auths.at(-1)).toMatchObject({ round, n: 2 });
  }
  await chat.wire.join("/news", { n: 3 });
  expect(auths.at(-1)).toMatchObject({ n: 3 });
  await chat.wire.leave("/news");
  const gone = chat.wire.join("/news");
  await chat.wire.leave("/news");
  await gone;
  expect(await chat.wire.send("test:echo", "there", { ack: true })).toBe("there");
  await expect.poll(() => server.of("/news").sockets.size, { timeout: 5_000 }).toBe(0);
  expect(losses).toBe(0);
});

test("a namespace is joined again on the next connection, and not when it was left", async () => {
  const { server, auths } = await withNamespaces();
  const chat = await chatOf(server, "ana");
  // Before there is a connection, too.
  await chat.wire.join("/news");
  await chat.connect();
  const cut = async () => {
    const [gone, back] = [next(chat, "disconnected"), next(chat, "connected")];
    server.faults.dropSockets();
    await gone;
    await back;
  };
  // Now there is one: this waits for the server.
  await chat.wire.join("/news");
  const told = heard(chat, "headline");
  await cut();
  await chat.wire.join("/news");
  server.of("/news").emit("headline", "again");
  expect(await told).toEqual(["again", { topic: "/news" }]);
  expect(auths.length).toBe(2);
  await chat.wire.leave("/news");
  await cut();
  expect(await chat.wire.send("test:echo", "behind it", { ack: true })).toBe("behind it");
  expect(auths.length).toBe(2);
});

test.each([true, false])("after a cut the connection goes on, recovery %s (E11)", async (recovery) => {
  const server = await served({ recovery });
  // Long enough for the server to speak meanwhile.
  const chat = await online(server, { reconnect: { baseDelayMs: 400, maxDelayMs: 400 } });
  server.emit("test:news", "an event gives the offset", 0);
  const told: unknown[] = [];
  chat.wire.on("test:news", (...values) => told.push(values[1]));
  const { socketId } = chat.connection;
  // Both are listened for before: they may be told in one batch.
  const [gone, back] = [next(chat, "disconnected"), next(chat, "connected")];
  server.faults.dropSockets();
  await gone;
  for (const number of [1, 2, 3]) server.emit("test:news", "missed", number);
  await back;
  expect(await chat.wire.send("test:echo", "still there", { ack: true })).toBe("still there");
  // A resumed session keeps its id, and the server says again what was missed, once.
  expect(chat.connection.socketId === socketId).toBe(recovery);
  expect(told.filter((value) => value !== 0)).toEqual(recovery ? [1, 2, 3] : []);
});

test("an official client that sends with retries beside ours: each message once", async () => {
  const server = await served();
  const { ana, ben, id } = await pair(server);
  const { origin } = new URL(server.url);
  const socket = io(origin, { auth: { token: "user:ben#official" }, retries: 3, ackTimeout: 500 });
  onTestFinished(() => void socket.disconnect());
  server.faults.loseAck(1);
  const body = { conversationId: id, contentEncrypted: btoa("by hand"), clientMessageId: "k".repeat(32) };
  socket.emit("chat:message_send", body);
  const view = ana.timeline(id);
  await until(view, ({ messages }) => messages.length === 1);
  await until(ben.timeline(id), ({ messages }) => messages.length === 1);
  const { key } = await ana.send(id, "behind it");
  await ana.acknowledged(key as string);
  expect(view.getSnapshot().messages.map(({ text }) => text)).toEqual(["by hand", "behind it"]);
  expect(server.log(id)).toHaveLength(2);
});

test("in a tab that follows an event with bytes is refused with what to do, and nothing is asked of the core", async () => {
  const asked: unknown[] = [];
  const run = async (command: unknown) => {
    asked.push(command);
    return { kind: "nothing" };
  };
  const connection = { state: "online" as const, leader: false };
  const wire = new Wire({ run } as unknown as Requests, undefined, () => connection);
  await expect(wire.send("room:join", new Uint8Array(1))).rejects.toMatchObject({
    code: "server",
    message: expect.stringMatching(/^room:join: .*another tab has the socket.*chat\.connection\.leader/),
    retryable: true,
  });
  expect(asked).toEqual([]);
  expect(await wire.send("room:join", {})).toBe(null);
  connection.leader = true;
  expect(await wire.send("room:join", new Uint8Array(1))).toBe(null);
  expect(asked).toHaveLength(2);
});
