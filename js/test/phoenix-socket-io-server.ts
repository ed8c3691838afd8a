// A backend that speaks `phoenix` over Socket.IO (P12, D7), on the official server, with history over REST by marks (P9).
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type Socket } from "socket.io";
import { onTestFinished } from "vitest";

export type Row = Record<string, unknown> & { id: string; client_id?: string; content: string; seq: number };
type Ack = (response: unknown) => void;

const members = ["ana", "ben"].map((id) => ({ id, name: id }));
export const topic = "conversation:c1";

/** `plain`: without hello, keys and cursors. Any token `user:NAME` is that user; ana and ben are in `c1`. */
export async function servePhoenix({ plain = false } = {}) {
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
  io.use((socket, accept) => {
    const { token } = socket.handshake.auth;
    accept(String(token).startsWith("user:") ? undefined : new Error("invalid token"));
  });
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
