// A backend of nobody's, on the official Socket.IO server, and a profile of the application's own that speaks to it.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type Socket } from "socket.io";
import { onTestFinished } from "vitest";
import { defineProfile } from "../src/index.js";

export const rooms = defineProfile({
  name: "rooms",
  capabilities: { answers: true },
  auth: { jwt: "$token", who: "$userId" },
  conversations: "group",
  commands: {
    send: {
      event: "say",
      payload: { room: "$conversationId", body: "$text", nonce: "$key", at: "$createdAtMs" },
    },
    typing: { event: "keys", payload: { room: "$conversationId", down: "$isTyping" } },
    read: { event: "seen", payload: ["$messageId"] },
    edit: { event: "fix", payload: { mid: "$messageId", body: "$text" } },
  },
  message: {
    id: "mid",
    conversationId: "room",
    senderId: "author",
    text: "body",
    createdAt: "at",
    key: "nonce",
  },
  answer: { data: "row" },
  events: {
    said: { as: "message", in: "row" },
    keys: { as: "typing", conversationId: "room", userId: "author", isTyping: "down" },
    seen: { as: "read", messageId: "mid", userId: "author" },
    fixed: { as: "updated" },
  },
  receive(event, ...values) {
    // Two rows in one event, in a form that no declaration reaches.
    if (event !== "bulk") return null;
    const [lines] = values as [string];
    return lines.split("\n").map((line, at) => ({
      event: "said",
      payload: { row: { mid: `b${at}`, room: "r1", author: "bot", body: line, at: 1000 + at } },
    }));
  },
});

type Row = { mid: number; room: string; author: string; body: string; at: number; nonce: string };

export async function serveRooms() {
  const http = createServer();
  const io = new Server(http, { serveClient: false });
  const rows: Row[] = [];
  const heard: unknown[][] = [];
  io.use((socket, accept) => {
    const { jwt, who } = socket.handshake.auth;
    accept(jwt === `user:${who}` ? undefined : new Error("jwt expired"));
  });
  io.on("connection", (socket: Socket) => {
    const author = socket.handshake.auth.who as string;
    socket.onAny((...event) => heard.push(event));
    socket.on("say", (said: Omit<Row, "mid" | "author">, answer) => {
      if (said.body === "too much") return answer({ error: "ValidationError" });
      const row = { ...said, mid: rows.length + 1, author };
      rows.push(row);
      io.emit("said", { row });
      answer({ row });
    });
    socket.on("keys", (keys) => socket.broadcast.emit("keys", { ...keys, author }));
    socket.on("seen", (mid) => socket.broadcast.emit("seen", { mid, author }));
    socket.on("fix", ({ mid, body }, answer) => {
      io.emit("fixed", { mid, body });
      answer({});
    });
  });
  await new Promise<void>((listening) => http.listen(0, "127.0.0.1", listening));
  onTestFinished(() => new Promise((closed) => io.close(() => closed())));
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, io, rows, heard };
}
