// Backends of three guides (WIRES.md A, C and H), in memory, for tests: plain WebSocket, and the official Socket.IO server. They
// have nothing that WIRES.md marks **ours** beyond payloads that the guides leave open.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { WebSocketServer } from "ws";

/** Runs `serve` for each socket that `admit` lets in, under the room of its user. */
async function start(admit, serve) {
  const http = createServer();
  const io = new Server(http, { cors: { origin: "*" }, serveClient: false });
  const log = [];
  const auths = [];
  io.use((socket, next) => {
    const { auth } = socket.handshake;
    auths.push(auth);
    const user = admit(auth);
    if (user === undefined)
      return next(Object.assign(new Error("invalid token"), { data: { code: "auth_failed" } }));
    socket.data.user = user;
    next();
  });
  io.on("connection", (socket) => {
    socket.join(String(socket.data.user));
    socket.onAny((event, payload) => log.push([event, payload]));
    serve(io, socket);
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    io,
    url: `http://127.0.0.1:${http.address().port}`,
    /** What CONNECT said, each time. */
    auths,
    /** Every event of every client: `[name, payload]`. */
    log,
    of: (name) => log.filter(([event]) => event === name).map(([, payload]) => payload),
    /** An event to one user. */
    tell: (user, event, payload) => io.to(String(user)).emit(event, payload),
    /** Cuts every socket, as a dead network would. */
    drop: () => {
      for (const socket of io.sockets.sockets.values()) socket.conn.transport.socket?.terminate();
    },
    close: async () => {
      http.closeAllConnections();
      await io.close();
    },
  };
}

/** Any token `user:7` is the user of the number 7 (C1, C6). Ids of messages are numbers, counted from 41. */
export async function startCompanionServer() {
  let id = 40;
  const admit = ({ token, user_id }) => (token === `user:${user_id}` ? user_id : undefined);
  const record = (girl_id, content, sender, more = {}) => ({
    id: ++id,
    girl_id,
    content,
    sender,
    timestamp: new Date().toISOString(),
    type: "text",
    ...more,
  });
  const server = await start(admit, (io, socket) => {
    const { user } = socket.data;
    const tell = (event, payload) => io.to(String(user)).emit(event, payload);
    socket.on("send_message", ({ girl_id, content }) => {
      tell("message_received", { message: record(girl_id, content, "user") });
      tell("typing", { girl_id, is_typing: true });
      tell("message_received", { message: record(girl_id, `you said: ${content}`, "girl") });
      tell("typing", { girl_id, is_typing: false });
    });
    socket.on("request_photo", ({ girl_id }) => {
      tell("photo_generated", { girl_id, photo_url: "https://photos.example/1.jpg" });
    });
  });
  const say = (user, girl_id, content, more) =>
    server.tell(user, "message_received", { message: record(girl_id, content, "girl", more) });
  return { ...server, say };
}

/** Any token `jwt-NAME` is the user NAME, until it is revoked (H1, H2, H7). Everybody is in every channel. */
export async function startChannelsServer() {
  const revoked = new Set();
  const authors = new Map();
  let refusals = 0;
  const admit = ({ token, userId }) =>
    token?.startsWith(`jwt-${userId}`) && !revoked.has(token) ? userId : undefined;
  const server = await start(admit, (io, socket) => {
    const { user } = socket.data;
    socket.on("message:send", (message, ack) => {
      if (refusals > 0) {
        refusals -= 1;
        return ack({ success: false, error: "message_failed" });
      }
      const isNew = !authors.has(message.id);
      authors.set(message.id, user);
      ack({ success: true, data: message });
      if (isNew) socket.broadcast.emit("message:new", message);
    });
    for (const event of ["message:delivered", "message:read"]) {
      socket.on(event, ({ messageId }) => io.to(authors.get(messageId)).emit(event, { messageId }));
    }
  });
  return {
    ...server,
    revoke: (token) => revoked.add(token),
    refuseNext: (times) => {
      refusals = times;
    },
  };
}

/**
 * JSON text frames (A1 to A10). Any token `user:NAME` is the user NAME of the address. It answers each command, and says what it is
 * (A6) on every connection. `silent` answers nothing.
 */
export async function startAssistantServer() {
  let id = 0;
  const log = [];
  const addresses = [];
  const state = { silent: false };
  const http = createServer();
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => offered.has("chatwire") && "chatwire",
  });
  http.on("upgrade", (request, socket, head) => {
    const { searchParams } = new URL(request.url, "http://local");
    addresses.push(request.url);
    const offered = request.headers["sec-websocket-protocol"] ?? "";
    const token = Buffer.from(/bearer\.([\w-]+)/.exec(offered)?.[1] ?? "", "base64url").toString();
    if (token !== `user:${searchParams.get("userId")}`)
      return socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n");
    sockets.handleUpgrade(request, socket, head, (ws) => {
      ws.user = searchParams.get("userId");
      const send = (type, payload) => ws.send(JSON.stringify({ type, payload }));
      send("context", { userId: ws.user, timezone: "UTC", capabilities: ["search"], preferences: {} });
      ws.on("message", (data) => {
        const frame = JSON.parse(data);
        log.push(frame);
        if (frame.type === "ping") ws.send('{"type":"pong"}');
        if (frame.type === "command" && !state.silent) answer(send, frame.payload.message);
      });
      ws.on("close", (code, reason) => log.push({ type: "closed", code, reason: String(reason) }));
    });
  });
  const record = (content, more = {}) => ({
    id: `a${++id}`,
    content,
    sender: "ai",
    timestamp: new Date().toISOString(),
    type: "text",
    ...more,
  });
  const answer = (send, text) => {
    if (text === "fail") return send("error", { code: "ServerError", message: "the assistant is tired" });
    send("typing", { isTyping: true });
    send("message", record(`you said: ${text}`));
  };
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    url: `ws://127.0.0.1:${http.address().port}/assistant/ws`,
    state,
    log,
    addresses,
    of: (type) => log.filter((frame) => frame.type === type),
    /** A record of the assistant's, to everybody. */
    say: (content, more) => {
      const frame = JSON.stringify({ type: "message", payload: record(content, more) });
      for (const ws of sockets.clients) ws.send(frame);
    },
    drop: () => {
      for (const ws of sockets.clients) ws.terminate();
    },
    close: async () => {
      for (const ws of sockets.clients) ws.terminate();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
