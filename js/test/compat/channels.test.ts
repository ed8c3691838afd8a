// The channels guide as its reader uses it (H1 to H7): its wire played by the test, its tokens against a real server.
import { expect, onTestFinished, test, vi } from "vitest";
import {
  ChatSocketClient,
  MessageRecoveryManager,
  type SocketError,
  SocketErrorType,
  SocketEvents,
} from "../../src/compat/index.js";
import { ChatError } from "../../src/index.js";
import { FakeChat } from "../fake.js";
import { next, optionsFor, serve } from "../support.js";

test("the names of H5 and H6", () => {
  expect(Object.values(SocketEvents).sort()).toEqual([
    "message:delivered",
    "message:new",
    "message:read",
    "message:send",
  ]);
  expect(Object.values(SocketErrorType).sort()).toEqual([
    "auth_failed",
    "connection_error",
    "message_failed",
  ]);
});

test("send with an id of its own, acknowledged; new, delivered and read in their shapes (H4, H5)", async () => {
  const fake = new FakeChat("channels", "u1");
  const socket = new ChatSocketClient({ client: fake.client });
  await socket.connect();
  expect([socket.isConnected(), socket.getSocketId()]).toEqual([true, "socket-1"]);
  const told: unknown[] = [];
  for (const event of [SocketEvents.MESSAGE_NEW, SocketEvents.MESSAGE_DELIVERED, SocketEvents.MESSAGE_READ]) {
    socket.on(event, (payload: unknown) => told.push([event, payload]));
  }
  const ack = socket.sendMessage({ id: "m1", content: "hello", channelId: "general" });
  await expect.poll(() => fake.of("send")).toEqual([["general", "hello", { key: "m1" }]]);
  fake.move("m1", { status: "acknowledged", id: "m1" });
  expect(await ack).toEqual({
    success: true,
    data: { id: "m1", content: "hello", channelId: "general", userId: "u1", createdAt: expect.any(String) },
  });
  for (const status of ["delivered", "read"] as const) {
    fake.emitter.emit("status", { conversationId: "general", rowKey: "m1", status, failure: null });
  }
  fake.receive({ id: "m2", conversationId: "general", text: "hi", senderId: "u2" });
  await expect.poll(() => told.length).toBe(3);
  expect(told).toEqual(
    expect.arrayContaining([
      ["message:delivered", { messageId: "m1" }],
      ["message:read", { messageId: "m1" }],
      [
        "message:new",
        expect.objectContaining({ id: "m2", content: "hi", channelId: "general", userId: "u2" }),
      ],
    ]),
  );
});

test("emit, connected and id, as Socket.IO names them; a whole message is taken (H4)", async () => {
  const fake = new FakeChat("channels", "u1");
  const socket = new ChatSocketClient({ client: fake.client });
  expect([socket.connected, socket.id]).toEqual([false, undefined]);
  await socket.connect();
  expect([socket.connected, socket.id]).toEqual([true, "socket-1"]);
  const whole = { id: "m1", content: "hello", channelId: "general", userId: "u1", createdAt: "2026-01-01" };
  const answered = new Promise((resolve) => socket.emit(SocketEvents.MESSAGE_SEND, whole, resolve));
  await expect.poll(() => fake.of("send")).toEqual([["general", "hello", { key: "m1" }]]);
  fake.move("m1", { status: "acknowledged", id: "m1" });
  expect(await answered).toMatchObject({ success: true, data: { id: "m1", content: "hello" } });
  // What nobody knows here goes as it is.
  socket.emit(SocketEvents.MESSAGE_READ, { messageId: "m2" });
  const own = new Promise((resolve) => socket.emit("room:topic", { text: "news" }, resolve));
  expect(await own).toBeNull();
  expect(fake.of("wire.send")).toEqual([
    ["message:read", { messageId: "m2" }, { ack: false }],
    ["room:topic", { text: "news" }, { ack: true }],
  ]);
  void socket.sendMessage({ ...whole, id: "m3" });
  const failed = new Promise((resolve) => socket.emit(SocketEvents.MESSAGE_SEND, {}, resolve));
  fake.send = async () => Promise.reject(new ChatError("validation", "no channel"));
  expect(await failed).toEqual({ success: false, error: "no channel" });
});

test("receipts: what is read goes through the client, offline too; what is delivered it says by itself (H5)", async () => {
  const fake = new FakeChat("channels", "u1");
  const socket = new ChatSocketClient({ client: fake.client });
  fake.show({ state: "offline" });
  fake.receive({ id: "m1", conversationId: "general" });
  const asked = (event: string, payload: Record<string, string>) =>
    new Promise((resolve) => socket.emit(event, payload, resolve));
  expect(await asked(SocketEvents.MESSAGE_READ, { messageId: "m1" })).toEqual({ success: true });
  expect(fake.of("markRead")).toEqual([["general", "general:m1"]]);
  // Heard before this client was made: its channel tells where it is.
  const later = new ChatSocketClient({ client: fake.client });
  const read = { messageId: "m1", channelId: "general" };
  expect(await new Promise((resolve) => later.emit("message:read", read, resolve))).toEqual({
    success: true,
  });
  expect(await asked(SocketEvents.MESSAGE_DELIVERED, { messageId: "m1" })).toEqual({ success: true });
  expect(fake.of("wire.send")).toEqual([]);
});

test("a message that fails is told, kept, and recovered (H6, H7)", async () => {
  const fake = new FakeChat("channels", "u1");
  const socket = new ChatSocketClient({ client: fake.client });
  const recovery = new MessageRecoveryManager(socket);
  const errors: SocketError[] = [];
  socket.on("error", (error) => errors.push(error));
  const ack = socket.sendMessage({ id: "m1", content: "one", channelId: "general" });
  void socket.sendMessage({ id: "m2", content: "two", channelId: "general" });
  await expect.poll(() => fake.queue.length).toBe(2);
  expect((await recovery.getPendingMessages()).map(({ content }) => content)).toEqual(["one", "two"]);
  const failure = { code: "server", message: "no room", retryable: true } as const;
  fake.move("m1", { status: "failed", failure });
  expect(await ack).toMatchObject({ success: false });
  expect(errors).toMatchObject([
    { type: "message_failed", message: "no room", messageId: "m1", cause: { code: "server" } },
  ]);
  expect((await recovery.getFailedMessages()).map(({ id }) => id)).toEqual(["m1"]);
  expect(await recovery.recoverMessages()).toBe(1);
  expect(fake.of("resend")).toEqual([["m1"]]);
  fake.move("m1", { status: "failed", failure });
  await recovery.removePendingMessage("m1");
  await recovery.removePendingMessage("m2");
  expect([fake.of("discard"), fake.of("cancel")]).toEqual([[["m1"]], [["m2"]]]);
});

test("what cannot be sent is an answer, not a rejection (H4)", async () => {
  for (const userId of [undefined, null]) {
    const socket = new ChatSocketClient({ url: "http://127.0.0.1:9", token: "t", userId });
    const errors: string[] = [];
    socket.on("error", ({ type }) => errors.push(type));
    const ack = await socket.sendMessage({ content: "hello", channelId: "general" });
    expect(ack).toEqual({ success: false, error: expect.stringContaining("userId") });
    expect(errors).toEqual(["message_failed"]);
  }
});

/** The facade over the team's wire: its tokens, and how it connects, are the same. */
async function overTeam(config: Partial<ConstructorParameters<typeof ChatSocketClient>[0]>) {
  const server = await serve();
  const { getToken: _, ...options } = optionsFor(server, "ana");
  const socket = new ChatSocketClient({ ...options, ...config });
  onTestFinished(() => socket.close());
  return { server, socket };
}

test("a refused token: onAuthError gives the next one, and the connection goes on (H7)", async () => {
  const refusals: string[] = [];
  const onAuthError = async ({ type }: SocketError) => {
    refusals.push(type);
    return "user:ana";
  };
  const { socket } = await overTeam({ token: "expired", onAuthError });
  await socket.connect();
  expect([socket.isConnected(), refusals]).toEqual([true, ["auth_failed"]]);
});

test("a token that stays refused is told once, and updateToken() connects again (H1, H6)", async () => {
  const told: string[] = [];
  const { socket } = await overTeam({
    token: "bad",
    onAuthError: ({ type }) => void told.push(`onAuthError ${type}`),
    onConnectionError: ({ type }) => void told.push(type),
  });
  socket.on("error", ({ type }) => void told.push(`error ${type}`));
  await expect(socket.connect()).rejects.toMatchObject({ code: "auth" });
  expect(told).toEqual(["onAuthError auth_failed", "error auth_failed"]);
  const connected = new Promise<void>((resolve) => void socket.on("connect", () => resolve()));
  socket.updateToken("user:ana");
  await connected;
  expect(JSON.stringify(told)).not.toContain("bad");
});

test("what onAuthError rejects with is reported as the application's, and stops nothing", async () => {
  const reported: unknown[] = [];
  vi.stubGlobal("reportError", (error: unknown) => reported.push(error));
  onTestFinished(() => void vi.unstubAllGlobals());
  const fake = new FakeChat("channels", "u1");
  const bug = new Error("theirs");
  const socket = new ChatSocketClient({ client: fake.client, onAuthError: () => Promise.reject(bug) });
  const told: string[] = [];
  socket.on("error", ({ type }) => told.push(type));
  fake.emitter.emit("authError", new ChatError("auth", "refused"));
  await expect.poll(() => reported).toEqual([bug]);
  expect(told).toEqual(["auth_failed"]);
});

test("a lost connection is a connection_error, and onReconnect follows it, not the first connect (H1, H6)", async () => {
  const told: string[] = [];
  const { server, socket } = await overTeam({
    token: "user:ana",
    onConnectionError: ({ type }) => void told.push(type),
    onReconnect: () => void told.push("reconnected"),
  });
  await socket.connect();
  expect(told).toEqual([]);
  const client = await socket.client();
  const back = next(client, "connected");
  server.faults.dropSockets("ana");
  await back;
  expect(told).toEqual(["connection_error", "reconnected"]);
});
