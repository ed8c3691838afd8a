// A Phoenix server without anything that WIRES.md marks **ours**: channels of any conversation, and of `news:`.
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";

type Payload = { content?: string; up_to?: string; is_typing?: boolean };
type Frame = [string | null, string | null, string, string, Payload];

/** Channels of any conversation, whose members are whoever has joined. */
export async function plainServer() {
  const http = createServer((_, response) => {
    response.writeHead(404, { "access-control-allow-origin": "*" }).end();
  });
  const sockets = new WebSocketServer({
    server: http,
    handleProtocols: () => "phoenix",
    verifyClient: ({ req }: { req: IncomingMessage }) => userOf(req) !== "expired",
  });
  const joined = new Map<WebSocket, Map<string, string>>();
  const stored: Record<string, unknown>[] = [];
  const cut = () => {
    for (const socket of sockets.clients) socket.terminate();
  };
  const faults = { silent: 0, joins: 0, cut };
  sockets.on("connection", (socket, request) => {
    const user = userOf(request);
    const topics = new Map<string, string>();
    joined.set(socket, topics);
    socket.on("close", () => joined.delete(socket));
    socket.on("message", (data) => {
      const [joinRef, ref, topic, event, payload] = JSON.parse(String(data)) as Frame;
      const reply = (status: string, response: unknown, of = joinRef) =>
        socket.send(JSON.stringify([of, ref, topic, "phx_reply", { status, response }]));
      if (topic === "phoenix") return reply("ok", {}, null);
      if (event === "phx_join" && topic.startsWith("conversation:")) {
        topics.set(topic, String(joinRef));
        return reply("ok", {});
      }
      if (event === "phx_join" && topic.startsWith("news:")) {
        if (payload.content !== "badge") return reply("error", { reason: "forbidden" });
        topics.set(topic, String(joinRef));
        reply("ok", {});
        return socket.send(JSON.stringify([null, null, topic, "headline", { n: ++faults.joins }]));
      }
      if (event === "phx_join" && topic === "user:other") {
        topics.set(topic, String(joinRef));
        return reply("ok", { capabilities: { keys: true }, user_id: "other" });
      }
      if (topics.get(topic) !== joinRef) return reply("error", { reason: "unmatched topic" }, null);
      const tell = (event: string, payload: unknown) => {
        for (const [other, theirs] of joined) {
          if (other !== socket && theirs.has(topic))
            other.send(JSON.stringify([null, null, topic, event, payload]));
        }
      };
      if (event === "message:read" || event === "typing") {
        tell(event, { ...payload, user_id: user });
        return reply("ok", {});
      }
      if (event !== "message:send") return;
      if (payload.content === "crashes") {
        topics.delete(topic);
        return socket.send(JSON.stringify([joinRef, joinRef, topic, "phx_error", {}]));
      }
      const message = {
        id: `m${stored.length + 1}`,
        conversation_id: topic.slice("conversation:".length),
        sender_id: user,
        content: payload.content,
        type: "text",
        inserted_at: new Date().toISOString(),
      };
      stored.push(message);
      tell("message:new", message);
      if (faults.silent-- > 0) return socket.terminate();
      reply("ok", { message });
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    cut();
    http.close();
  });
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return { url, stored, faults };
}

/** The token is the user's name; `expired` is nobody's. */
const userOf = ({ headers }: IncomingMessage) =>
  atob((headers["sec-websocket-protocol"] ?? "").split("bearer.phx.")[1] ?? "");
