// `phoenix` over Socket.IO (P12, D7): the same events with the topic in the payload, history over REST by marks (P9), on the
// official Socket.IO server.
import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Server, type Socket } from "socket.io";
import { expect, onTestFinished, test } from "vitest";
import { type ChatOptions, createChat } from "../src/index.js";
import { next, until } from "./support.js";

const wasm = await readFile(join(import.meta.dirname, "../pkg/several/chatwire_bg.wasm"));

type Row = Record<string, unknown> & { id: string; client_id?: string; content: string; seq: number };
type Ack = (response: unknown) => void;

const members = ["ana", "ben"].map((id) => ({ id, name: id }));
const topic = "conversation:c1";

/** `plain`: without hello, keys and cursors. */
async function serve({ plain = false } = {}) {
  const rows: Row[] = [];
  const heard: unknown[][] = [];
  const json = (response: ServerResponse, body: unknown, status = 200) => {
    const headers = { "access-control-allow-origin": "*", "access-control-allow-headers": "*" };
    response.writeHead(status, { ...headers, "content-type": "application/json" }).end(JSON.stringify(body));
  };
  const http = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
    if (request.method === "OPTIONS") return json(response, {});
    if (pathname === "/phx/api/conversations") {
      const conversation = { id: "c1", kind: "direct", title: "", members };
      return json(response, {
        conversations: [plain ? conversation : { ...conversation, last_seq: rows.length }],
      });
    }
    if (pathname !== "/phx/api/sync" || plain)
      return json(response, { error: { code: "NotFoundError" } }, 404);
    const from = Number(searchParams.get("cursor")?.slice(1) ?? 0);
    const messages = rows.slice(from, from + 2);
    const end = from + messages.length;
    json(response, { messages, cursor: `m${end}`, has_more: end < rows.length });
  });
  const io = new Server(http, { path: "/phx/socket.io", serveClient: false });
  const store = (sender_id: string, { client_id, content }: Row) => {
    const known = rows.find((row) => !plain && row.client_id === client_id);
    if (known) return known;
    const inserted_at = new Date(1_700_000_000_000 + rows.length).toISOString();
    const [seq, type] = [rows.length + 1, "text"];
    const row = { id: `m${seq}`, conversation_id: "c1", sender_id, content, type, inserted_at, seq };
    rows.push(plain ? (row as Row) : { ...row, client_id: String(client_id) });
    return rows.at(-1) as Row;
  };
  const faults = { lose: 0 };
  io.on("connection", (socket: Socket) => {
    const user = String(socket.handshake.auth.token).slice("user:".length);
    if (!plain) socket.emit("chatwire:hello", { capabilities: { keys: true, cursor: true } });
    socket.onAny((...event) => heard.push(event));
    socket.on("message:send", (payload: Row, ack: Ack) => {
      const row = store(user, payload);
      socket.broadcast.emit("message:new", { ...row, topic });
      if (faults.lose-- > 0) return socket.conn.close();
      ack({ message: row });
    });
    socket.on("message:read", ({ up_to }) =>
      socket.broadcast.emit("message:read", { topic, up_to, user_id: user }),
    );
    socket.on("typing", ({ is_typing }) =>
      socket.broadcast.emit("typing", { topic, user_id: user, is_typing }),
    );
    socket.on("message:update", ({ id, content }, ack: Ack) => {
      socket.broadcast.emit("message:update", { topic, id, content });
      ack({});
    });
  });
  await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  onTestFinished(() => new Promise((closed) => io.close(() => closed())));
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/phx`, rows, heard, store, faults };
}

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
