// The `assistant` profile against servers with plain JSON frames: one that declares keys and answers, and one without
// anything that WIRES.md marks **ours**.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { type ChatOptions, createChat } from "../src/index.js";
import { next, until } from "./support.js";

const wasm = await readFile(join(import.meta.dirname, "../pkg/json/chatwire_bg.wasm"));

type Payload = { message: string; clientMessageId: string; userId: string; userTimezone: string };
type Frame = { type: string; payload: Payload & { token?: string }; timestamp: number };

/** Answers each message with its text backwards. */
async function assistantServer({ plain = false, firstFrame = false } = {}) {
  const http = createServer();
  const sockets = new WebSocketServer({
    server: http,
    handleProtocols: () => "chatwire",
    verifyClient: ({ req }: { req: { headers: Record<string, unknown> } }) => firstFrame || accepts(req),
  });
  const server = {
    url: "",
    /** Tokens that are good. */
    tokens: new Set(["t1"]),
    upgrades: [] as string[],
    received: [] as Frame[],
    stored: new Map<string, string>(),
    /** So many answers are lost, with their sockets. */
    losing: 0,
    closes: [] as [number, string][],
    cut: () => sockets.clients.forEach((socket) => void socket.terminate()),
    say: (type: string, payload: unknown) =>
      sockets.clients.forEach((socket) => void socket.send(JSON.stringify({ type, payload }))),
  };
  function accepts({ headers }: { headers: Record<string, unknown> }) {
    const bearer = String(headers["sec-websocket-protocol"] ?? "").split("bearer.")[1] ?? "";
    return server.tokens.has(atob(bearer.replaceAll("-", "+").replaceAll("_", "/")));
  }
  sockets.on("connection", (socket, { url }) => {
    server.upgrades.push(url ?? "");
    socket.on("close", (code, reason) => void server.closes.push([code, String(reason)]));
    const say = (type: string, payload: unknown) => socket.send(JSON.stringify({ type, payload }));
    const hello = () => !plain && say("hello", { capabilities: { keys: true, answers: true } });
    if (!firstFrame) hello();
    socket.on("message", (data) => {
      const frame = JSON.parse(String(data)) as Frame;
      if (frame.type === "ping") return plain || socket.send('{"type":"pong"}');
      if (frame.type === "auth") {
        if (!server.tokens.has(frame.payload.token ?? ""))
          return say("error", { code: "auth", message: "no" });
        socket.send('{"type":"auth_ok"}');
        return hello();
      }
      server.received.push(frame);
      if (frame.type === "command") answer(socket, frame.payload);
    });
  });
  function answer(socket: WebSocket, { message, clientMessageId }: Payload) {
    const isNew = !server.stored.has(clientMessageId);
    server.stored.set(clientMessageId, message);
    if (server.losing-- > 0) return socket.terminate();
    const id = `m${server.stored.size}`;
    if (!plain) socket.send(JSON.stringify({ type: "ack", payload: { clientMessageId, id } }));
    if (!isNew) return;
    socket.send(JSON.stringify({ type: "typing", payload: { isTyping: true } }));
    const content = [...message].reverse().join("");
    // Bare: a record without a frame around it.
    socket.send(JSON.stringify({ id: `r${id}`, content, sender: "ai", type: "text", timestamp: new Date() }));
  }
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.cut();
    http.close();
  });
  server.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/assistant/ws`;
  return server;
}

async function chatOf(server: { url: string }, options: Partial<ChatOptions> = {}) {
  const reconnect = { baseDelayMs: 20, maxDelayMs: 100 };
  const common = { profile: "assistant", userId: "ana", storage: "memory", reconnect, wasm } as const;
  const token = options.getToken === undefined ? { token: "t1" } : {};
  const chat = await createChat({ url: server.url, ...common, ...token, ...options });
  onTestFinished(() => chat.close());
  return chat;
}

test("the only conversation is there at once; send, ack, typing, answer (A1, A3, A4, A5, A6)", async () => {
  const server = await assistantServer();
  const chat = await chatOf(server);
  expect(chat.conversation("assistant").getSnapshot()).toMatchObject({ kind: "assistant" });
  await chat.connect();
  const typing: boolean[] = [];
  chat.on("typing", ({ userId, typing: is }) => userId === "assistant" && typing.push(is));
  const answered = next(chat, "message");
  const { key } = await chat.send("assistant", "abc");
  expect(await chat.acknowledged(key as string)).toMatchObject({ id: "m1", status: "acknowledged" });
  const [message] = await answered;
  expect(message).toMatchObject({ text: "cba", sender: "ai", senderId: "assistant", type: "text" });
  expect(typing).toEqual([true, false]);
  expect(server.upgrades).toEqual(["/assistant/ws?userId=ana"]);
  expect(server.received[0]).toMatchObject({
    type: "command",
    timestamp: expect.any(Number),
    payload: {
      commandType: "text_command",
      message: "abc",
      userId: "ana",
      userTimezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      clientMessageId: key,
    },
  });
  expect(chat.guarantees).toMatchObject({ delivery: "exactly-once", gaps: "unseen", receipts: false });
  await expect(chat.send("another", "x")).rejects.toMatchObject({ code: "notFound" });
  await expect(chat.send("assistant", "x".repeat(501))).rejects.toMatchObject({ code: "tooLarge" });
});

test("a lost answer is asked for again under its key, on the next connection (A4)", async () => {
  const server = await assistantServer();
  const chat = await chatOf(server);
  await chat.connect();
  server.losing = 1;
  const { key } = await chat.send("assistant", "once");
  await chat.acknowledged(key as string);
  expect([...server.stored.values()]).toEqual(["once"]);
  expect(server.received.filter(({ type }) => type === "command")).toHaveLength(2);
  expect(server.upgrades).toHaveLength(2);
});

test("a plain server: sent is all there is, and a late ack says more (A6)", async () => {
  const server = await assistantServer({ plain: true });
  const chat = await chatOf(server);
  const view = chat.timeline("assistant");
  await chat.connect();
  const { key } = await chat.send("assistant", "hello");
  expect(await chat.acknowledged(key as string)).toMatchObject({ status: "sent", id: null });
  expect(chat.guarantees).toMatchObject({ delivery: "at-most-once" });
  server.say("ack", { clientMessageId: key, id: "m7" });
  await until(view, ({ messages }) => messages[0]?.id === "m7");
  expect(view.getSnapshot().messages.map(({ status }) => status)).toContain("acknowledged");
  expect(view.getSnapshot().messages).toHaveLength(2);
});

test("a token that the upgrade refuses is asked for again once (A2, D6, D9)", async () => {
  const server = await assistantServer();
  server.tokens = new Set(["good?>~"]);
  const reasons: string[] = [];
  const chat = await chatOf(server, {
    getToken: ({ reason }) => {
      reasons.push(reason);
      return reason === "refused" ? "good?>~" : "expired";
    },
  });
  await chat.connect();
  expect(reasons).toEqual(["connect", "refused"]);
  expect(server.upgrades.join()).not.toContain("good");
});

test("the token as the first frame: accepted, refused once, and renewed in use (D9)", async () => {
  const server = await assistantServer({ firstFrame: true });
  let token = "expired";
  const chat = await chatOf(server, {
    tokenIn: "firstFrame",
    getToken: ({ reason }) => {
      if (reason === "refused") token = "t1";
      return token;
    },
  });
  await chat.connect();
  const { key } = await chat.send("assistant", "hello");
  await chat.acknowledged(key as string);
  const back = next(chat, "connected");
  server.say("error", { code: "auth", message: "the token has expired" });
  await back;
  expect(server.upgrades).toEqual(Array(3).fill("/assistant/ws?userId=ana"));
});

test("the connection comes back, and is closed with 1000 and a reason (A9)", async () => {
  const server = await assistantServer();
  const chat = await chatOf(server);
  await chat.connect();
  const back = next(chat, "connected");
  server.cut();
  await back;
  await chat.disconnect();
  await expect.poll(() => server.closes.at(-1)).toEqual([1000, "disconnect"]);
});

test("context, other events, errors: what is not the profile's own reaches the application (A6)", async () => {
  const server = await assistantServer();
  const chat = await chatOf(server);
  await chat.connect();
  const told: unknown[] = [];
  chat.wire.on("context", (context) => told.push(context));
  const failed = next(chat, "error");
  const context = { userId: "ana", timezone: "UTC", capabilities: ["calendar"], preferences: {} };
  server.say("context", context);
  server.say("error", { code: "ServerError", message: "the model is away" });
  expect((await failed)[0]).toMatchObject({ code: "server" });
  expect(told).toEqual([context]);
  await chat.wire.send("feedback", { good: true });
  await expect
    .poll(() => server.received.at(-1))
    .toMatchObject({ type: "feedback", payload: { good: true } });
  await expect(chat.wire.send("x", {}, { ack: true })).rejects.toMatchObject({ code: "unsupported" });
  await expect(chat.wire.join("x")).rejects.toMatchObject({ code: "unsupported" });
});
