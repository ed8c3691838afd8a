// Backends of nobody's on Phoenix Channels and on plain JSON frames, spoken to by profiles of the application's own.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { type ChatOptions, createChat, defineProfile } from "../src/index.js";
import { next, until } from "./support.js";

const wasm = await readFile(join(import.meta.dirname, "../pkg/several/chatwire_bg.wasm"));

/** A WebSocket server; `user` is who the token of the sub-protocol names. */
async function serve(onSocket: (socket: WebSocket, user: string) => void) {
  const http = createServer((_, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({
    server: http,
    handleProtocols: (offered) => [...offered][0] ?? false,
  });
  sockets.on("connection", (socket, { headers }) => {
    const token = /bearer\.(?:phx\.)?([\w-]+)/.exec(headers["sec-websocket-protocol"] ?? "")?.[1] ?? "";
    onSocket(socket, Buffer.from(token, "base64url").toString().replace("user:", ""));
  });
  await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  const cut = () => {
    for (const socket of sockets.clients) socket.terminate();
  };
  onTestFinished(() => {
    cut();
    http.close();
  });
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, cut };
}

async function chatOf(
  url: string,
  profile: ChatOptions["profile"],
  userId: string,
  options: Partial<ChatOptions> = {},
) {
  const chat = await createChat({
    url,
    profile,
    userId,
    getToken: () => `user:${userId}`,
    storage: "memory",
    reconnect: { baseDelayMs: 20, maxDelayMs: 100 },
    wasm,
    ...options,
  });
  onTestFinished(() => chat.close());
  await chat.connect();
  return chat;
}

// ── Phoenix Channels ────────────────────────────────────────────────────────

const rooms = defineProfile({
  name: "rooms",
  framing: "phoenix",
  topics: { user: "people:$userId", conversation: "room:$conversationId" },
  capabilities: { answers: true, keys: true },
  conversations: "group",
  commands: {
    send: { event: "say", payload: { body: "$text", nonce: "$key" } },
    typing: { event: "keys", payload: { down: "$isTyping" } },
    edit: { event: "fix", payload: { id: "$messageId", body: "$text" } },
  },
  message: { senderId: "author", text: "body", createdAt: "at", key: "nonce" },
  events: {
    said: { as: "message" },
    keys: { as: "typing", userId: "author", isTyping: "down" },
    fixed: { as: "updated" },
  },
});

type Said = { body: string; nonce: string; id?: string; down?: boolean };
type Frame = [string | null, string | null, string, string, Said];

/** Rooms alone: there is no topic of a user. */
async function phoenixRooms() {
  const joined = new Map<WebSocket, Map<string, string>>();
  const rows: Record<string, unknown>[] = [];
  const joins: string[] = [];
  const faults = { silent: 0 };
  const served = await serve((socket, author) => {
    const topics = new Map<string, string>();
    joined.set(socket, topics);
    socket.on("close", () => joined.delete(socket));
    socket.on("message", (data) => {
      const [joinRef, ref, topic, event, said] = JSON.parse(String(data)) as Frame;
      const reply = (status: string, response: object) =>
        socket.send(JSON.stringify([joinRef, ref, topic, "phx_reply", { status, response }]));
      const tell = (name: string, payload: object) => {
        for (const [other, theirs] of joined) {
          if (other !== socket && theirs.has(topic))
            other.send(JSON.stringify([null, null, topic, name, payload]));
        }
      };
      if (topic === "phoenix") return reply("ok", {});
      if (event === "phx_join") {
        joins.push(topic);
        if (!topic.startsWith("room:")) return reply("error", { reason: "unmatched topic" });
        topics.set(topic, String(joinRef));
        return reply("ok", {});
      }
      if (event === "keys") return tell("keys", { down: said.down, author });
      if (event === "fix") {
        reply("ok", {});
        return tell("fixed", { id: said.id, body: said.body });
      }
      if (said.body === "too much") return reply("error", { code: "ValidationError", message: "no" });
      let row = rows.find(({ nonce }) => nonce === said.nonce);
      if (row === undefined) {
        row = { id: rows.length + 1, author, at: Date.now(), body: said.body, nonce: said.nonce };
        rows.push(row);
        tell("said", row);
      }
      if (faults.silent-- > 0) return socket.terminate();
      reply("ok", row);
    });
  });
  return { ...served, rows, joins, faults };
}

test("Phoenix: a conversation is a topic of the backend's own name, and what comes there need not name it", async () => {
  const { url, rows, joins } = await phoenixRooms();
  const [ana, ben] = await Promise.all(["ana", "ben"].map((user) => chatOf(url, rooms, user)));
  if (!ana || !ben) throw new Error("two clients");
  const timeline = ben.timeline("r1");
  onTestFinished(() => timeline.close());
  const received = next(ben, "message");
  const first = await ben.send("r1", "is anybody there?");
  await ben.acknowledged(first.key);
  const sent = await ana.send("r1", "hello");
  expect(await ana.acknowledged(sent.key)).toMatchObject({ id: "2", conversationId: "r1", senderId: "ana" });
  expect((await received)[0]).toMatchObject({
    id: "2",
    conversationId: "r1",
    senderId: "ana",
    text: "hello",
  });
  expect(rows.map(({ author, nonce }) => [author, nonce])).toEqual([
    ["ben", first.key],
    ["ana", sent.key],
  ]);
  expect(new Set(joins)).toEqual(new Set(["people:ana", "people:ben", "room:r1"]));

  const typing = next(ben, "typing");
  ana.setTyping("r1", true);
  expect((await typing)[0]).toMatchObject({ conversationId: "r1", userId: "ana", typing: true });
  const updated = next(ben, "messageUpdated");
  await ana.edit(sent.rowKey, "hello again");
  expect((await updated)[0]).toMatchObject({ id: "2", text: "hello again" });

  const refused = await ana.send("r1", "too much");
  await expect(ana.acknowledged(refused.key)).rejects.toMatchObject({ code: "validation" });
  await expect(ana.wire.join("room:r1")).rejects.toMatchObject({ code: "validation" });
});

test("Phoenix: an answer that is lost is asked for again under the same key, and topics are joined anew", async () => {
  const { url, rows, joins, faults } = await phoenixRooms();
  const ana = await chatOf(url, rooms, "ana");
  faults.silent = 1;
  const sent = await ana.send("r1", "once");
  expect(await ana.acknowledged(sent.key)).toMatchObject({ id: "1", status: "acknowledged" });
  expect(rows).toHaveLength(1);
  expect(joins.filter((topic) => topic === "room:r1")).toHaveLength(2);
  expect(ana.guarantees).toMatchObject({ delivery: "exactly-once" });
});

// ── plain JSON ──────────────────────────────────────────────────────────────

const frames = defineProfile({
  name: "frames",
  framing: "json",
  capabilities: { answers: true, keys: true },
  conversations: "group",
  commands: {
    send: { event: "say", payload: { room: "$conversationId", body: "$text", nonce: "$key" } },
    typing: { event: "keys", payload: { room: "$conversationId", down: "$isTyping" } },
    read: { event: "seen", payload: { room: "$conversationId", id: "$messageId" } },
  },
  message: { conversationId: "room", senderId: "author", text: "body", createdAt: "at", key: "nonce" },
  events: {
    said: { as: "message" },
    stored: { as: "acknowledged", key: "nonce", messageId: "id" },
    refused: { as: "failed", key: "nonce" },
    keys: { as: "typing", conversationId: "room", userId: "author", isTyping: "down" },
    seen: { as: "read", conversationId: "room", messageId: "id", userId: "author" },
  },
});

/** `{type, payload}` frames; what is stored is answered by an event. */
async function frameServer() {
  const sockets = new Map<WebSocket, string>();
  type Row = { id: number; nonce: string; [field: string]: unknown };
  const rows: Row[] = [];
  const faults = { silent: 0 };
  const served = await serve((socket, author) => {
    if (author.startsWith("old")) {
      socket.send(JSON.stringify({ type: "error", payload: { code: "auth", message: "expired" } }));
      return;
    }
    sockets.set(socket, author);
    socket.on("close", () => sockets.delete(socket));
    socket.on("message", (data) => {
      const { type, payload } = JSON.parse(String(data));
      const answer = (type: string, payload: object) => socket.send(JSON.stringify({ type, payload }));
      const tell = (type: string, payload: object) => {
        for (const other of sockets.keys())
          if (other !== socket) other.send(JSON.stringify({ type, payload }));
      };
      if (type === "ping") return socket.send('{"type":"pong"}');
      if (type !== "say") return tell(type, { ...payload, author });
      const { room, body, nonce } = payload;
      if (body === "too much") return answer("refused", { nonce, code: "ValidationError", message: "no" });
      let row = rows.find((row) => row.nonce === nonce);
      if (row === undefined) {
        row = { id: rows.length + 1, room, author, at: new Date().toISOString(), body, nonce };
        rows.push(row);
        tell("said", row);
      }
      if (faults.silent-- > 0) return socket.terminate();
      answer("stored", { nonce, id: row.id });
    });
  });
  return { ...served, rows, faults };
}

test("plain JSON: an event acknowledges, another refuses, and the rest has the backend's own names", async () => {
  const { url, rows, faults } = await frameServer();
  const ana = await chatOf(url, frames, "ana");
  const ben = await chatOf(url, frames, "ben");
  const received = next(ben, "message");
  const sent = await ana.send("r1", "hello");
  expect(await ana.acknowledged(sent.key)).toMatchObject({ id: "1", status: "acknowledged" });
  const [message] = await received;
  expect(message).toMatchObject({ id: "1", conversationId: "r1", senderId: "ana", text: "hello", key: null });
  const read = next(ana, "status", ({ status }) => status === "read");
  await ben.markRead("r1", message.rowKey);
  await read;
  const typing = next(ben, "typing");
  ana.setTyping("r1", true);
  expect((await typing)[0]).toMatchObject({ conversationId: "r1", userId: "ana" });

  const refused = await ana.send("r1", "too much");
  await expect(ana.acknowledged(refused.key)).rejects.toMatchObject({ code: "validation" });
  await expect(ana.edit(sent.rowKey, "other")).rejects.toMatchObject({ code: "unsupported" });

  faults.silent = 1;
  const again = await ana.send("r1", "once");
  expect(await ana.acknowledged(again.key)).toMatchObject({ id: "2" });
  expect(rows.map(({ body }) => body)).toEqual(["hello", "once"]);
  const timeline = ana.timeline("r1");
  onTestFinished(() => timeline.close());
  const { messages } = await until(timeline, ({ messages }) => messages.length === 3);
  expect(messages.map(({ text }) => text).sort()).toEqual(["hello", "once", "too much"]);
});

test("plain JSON: a token that the server calls expired is asked for once more", async () => {
  const { url } = await frameServer();
  const reasons: string[] = [];
  const getToken = ({ reason }: { reason: string }) => {
    reasons.push(reason);
    return reason === "refused" ? "user:ana" : "user:old";
  };
  const ana = await chatOf(url, frames, "ana", { getToken });
  const sent = await ana.send("r1", "hello");
  await ana.acknowledged(sent.key);
  expect(reasons).toEqual(["connect", "refused"]);
});
