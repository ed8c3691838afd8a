// The team's guide as its reader uses it, against the official Socket.IO server (T1 to T17).
import { expect, onTestFinished, test } from "vitest";
import { initializeSocket, sendMessage, sendTypingIndicator, TeamSocket } from "../../src/compat/index.js";
import type { ChatOptions } from "../../src/index.js";
import { FakeChat } from "../fake.js";
import { chatOf, next, optionsFor, serve, until } from "../support.js";

function heard<T>(socket: TeamSocket, event: string): Promise<T> {
  return new Promise((resolve) => void socket.once(event, (value: T) => resolve(value)));
}

function optionsOf(server: { url: string }, userId = "ana"): Omit<ChatOptions, "profile" | "getToken"> {
  const { getToken: _, profile: _team, ...options } = optionsFor(server, userId);
  return options;
}

test("before initializeSocket the others say what is missing", async () => {
  await expect(sendMessage("c", "hello")).rejects.toMatchObject({
    code: "config",
    message: expect.stringContaining("initializeSocket(token, { url, userId })"),
  });
  await expect(sendTypingIndicator("c", true)).rejects.toMatchObject({ code: "config" });
});

test("login, send, typing, receipts and presence, by the names of T2 and T4", async () => {
  const server = await serve();
  const socket = initializeSocket("user:ana", optionsOf(server));
  onTestFinished(() => socket.close());
  await new Promise<void>((resolve) => void socket.on("connect", () => resolve()));
  expect(socket.connected).toBe(true);
  expect(socket.id).toBe((await socket.client()).connection.socketId);

  const ben = await chatOf(server, "ben");
  await ben.connect();
  const { id } = await ben.createDirect("ana");
  await until((await socket.client()).conversation(id), (conversation) => conversation !== null);

  // T16: shown at once under an id of its own, and reconciled.
  const updated: unknown[] = [];
  socket.on("chat:message_status_updated", (update) => updated.push(update));
  const arrived = next(ben, "message");
  const shown = await sendMessage(id, "héllo");
  expect(shown).toMatchObject({ text: "héllo", id: null, sender: "me" });
  const [message] = await arrived;
  const update = { messageId: message.id, tempId: shown.rowKey };
  await expect.poll(() => updated.at(-1)).toEqual({ ...update, status: "delivered" });
  expect(updated[0]).toMatchObject(update);

  const typed = next(ben, "typing");
  await sendTypingIndicator(id, true);
  expect(await typed).toEqual([{ conversationId: id, userId: "ana", typing: true }]);

  const received = heard(socket, "chat:message_received");
  const typing = heard(socket, "chat:user_typing");
  ben.setTyping(id, true);
  expect(await typing).toMatchObject({ userId: "ben", username: "ben", isTyping: true, conversationId: id });
  await ben.send(id, "hi 👋");
  const record = (await received) as { content_encrypted: string };
  expect(record).toMatchObject({ sender_id: "ben", conversation_id: id, message_type: "text" });
  // T5, as a reader of the guide decodes it.
  expect(Buffer.from(record.content_encrypted, "base64").toString("utf8")).toBe("hi 👋");

  const read = next(ben, "status", ({ status }) => status === "read");
  socket.emit("chat:message_read", { messageId: (record as { id?: string }).id ?? "" });
  await read;

  const gone = heard(socket, "user:status_changed");
  ben.disconnect();
  expect(await gone).toMatchObject({ userId: "ben", status: "offline" });
});

test("socket.emit: what T2 names goes through the queue and is acknowledged (T3); all else goes as it is", async () => {
  const server = await serve();
  const socket = initializeSocket("user:ana", optionsOf(server));
  onTestFinished(() => socket.close());
  const ben = await chatOf(server, "ben");
  await ben.connect();
  const { id } = await ben.createDirect("ana");
  await until((await socket.client()).conversation(id), (conversation) => conversation !== null);

  const asked = (event: string, payload: object) =>
    new Promise((resolve) => socket.emit(event, payload as never, resolve));
  const contentEncrypted = Buffer.from("by hand ✓").toString("base64");
  const answer = await asked("chat:message_send", { conversationId: id, contentEncrypted });
  expect(answer).toMatchObject({
    success: true,
    data: { conversation_id: id, content_encrypted: contentEncrypted },
  });
  expect(server.log(id)).toHaveLength(1);
  // T3, D4: all that it may carry.
  const whole = { clientMessageId: "a".repeat(32), message_type: "file", metadata: { at: [1, 2] } };
  const { data } = answer as { data: { id: string } };
  const reply = { conversationId: id, contentEncrypted, ...whole, reply_to: data.id };

  expect(await asked("chat:message_send", reply)).toMatchObject({
    success: true,
    data: { message_type: "file" },
  });
  const { clientMessageId: client_message_id, ...rest } = whole;
  expect(server.log(id)[1]).toMatchObject({ client_message_id, ...rest, reply_to: data.id });
  expect(await asked("test:echo", { any: "thing" })).toEqual({ any: "thing" });
  expect(await asked("presence:online", {})).toEqual({ success: true });
  expect(await asked("chat:message_send", { conversationId: id })).toEqual({
    success: false,
    error: expect.stringContaining("contentEncrypted"),
  });
  const failed = heard<Error>(socket, "error");
  socket.emit("chat:message_send", { conversationId: id });
  expect((await failed).message).toContain("contentEncrypted");
  // C4's rule holds here, too: what the core does not read comes as it is, and only to who listens.
  const news = heard(socket, "test:news");
  server.emit("test:news", { n: 1 });
  expect(await news).toEqual({ n: 1 });
});

test("a text of any length is told in Base64 (T5)", async () => {
  const fake = new FakeChat("team", "ana");
  const socket = new TeamSocket({ client: fake.client });
  const text = "é".repeat(300_000);
  const received = heard<{ content_encrypted: string }>(socket, "chat:message_received");
  fake.receive({ id: "1", text });
  expect(Buffer.from((await received).content_encrypted, "base64").toString("utf8") === text).toBe(true);
});

test("offline: what is sent waits, and goes out with the next connection (T16, T17)", async () => {
  const server = await serve();
  const socket = initializeSocket("user:ana", optionsOf(server));
  onTestFinished(() => socket.close());
  const client = await socket.client();
  await client.connect();
  const { id } = await client.createDirect("ben");
  const left = heard(socket, "disconnect");
  socket.disconnect();
  await left;
  expect(socket.connected).toBe(false);
  const message = await sendMessage(id, "later");
  expect(server.log(id)).toEqual([]);
  await socket.connect();
  expect((await client.acknowledged(message.key)).text).toBe("later");
});

test("another login closes the socket before it, and a refused token is a connect_error", async () => {
  const server = await serve();
  const first = initializeSocket("user:ana", optionsOf(server));
  const before = await first.client();
  await before.connect();
  const second = initializeSocket("bad", optionsOf(server, "ben"));
  onTestFinished(() => second.close());
  const refused = heard<Error & { code: string }>(second, "connect_error");
  expect((await refused).code).toBe("auth");
  expect(before.connection.state).toBe("closed");
  expect((await second.client()).userId).toBe("ben");
});

test("the token of initializeSocket never changes: refused, it is not asked for once more (D6)", async () => {
  const server = await serve();
  const socket = initializeSocket("bad", optionsOf(server));
  onTestFinished(() => socket.close());
  const attempts: number[] = [];
  const client = await socket.client();
  client.on("connection", ({ state, attempt }) => state === "authenticating" && attempts.push(attempt));
  expect(await heard<Error>(socket, "connect_error")).toMatchObject({ code: "auth" });
  expect(attempts).toHaveLength(1);
});

test("a server that cannot be reached is a connect_error at each attempt; a lost connection is none", async () => {
  const nowhere = initializeSocket("user:ana", { ...optionsOf({ url: "http://127.0.0.1:9" }) });
  for (let attempt = 0; attempt < 2; attempt += 1) {
    expect(await heard<Error>(nowhere, "connect_error")).toMatchObject({ code: "server", retryable: true });
  }
  const server = await serve();
  const socket = initializeSocket("user:ana", optionsOf(server));
  onTestFinished(() => socket.close());
  const told: string[] = [];
  for (const event of ["connect", "disconnect", "connect_error"]) socket.on(event, () => told.push(event));
  await heard(socket, "connect");
  server.faults.dropSockets("ana");
  await heard(socket, "connect");
  expect(told).toEqual(["connect", "disconnect", "connect"]);
});

test("what is missing is told by connect_error, in words", async () => {
  const socket = initializeSocket("user:ana", { url: "http://127.0.0.1:9" });
  const error = await heard<Error>(socket, "connect_error");
  expect(error).toMatchObject({ code: "config", message: expect.stringContaining("userId") });
  await expect(sendMessage("c", "x")).rejects.toMatchObject({ code: "config" });
});
