// The Socket.IO half (T1 to T5) on the official server.
import { TeamError } from "./errors.mjs";

/** `user:NAME`, with `#anything` behind it for a fresh token of the same user; everything else is refused. */
export function userOf(token, faults) {
  const match = typeof token === "string" ? /^user:([^#]+)(#.*)?$/.exec(token) : null;
  if (!match || faults.isRevoked(token)) throw new TeamError("AuthError", "invalid token");
  return match[1];
}

/** @param io the namespace */
export function serveSockets(io, hub, { plain, maxPayload }) {
  const { faults, state } = hub;

  io.use((socket, next) => {
    try {
      const refusal = faults.takeConnectRefusal();
      if (refusal) throw refusal;
      socket.data.userId = userOf(socket.handshake.auth?.token, faults);
      next();
    } catch (error) {
      next(Object.assign(new Error(error.message), { data: { code: error.code ?? "ServerError" } }));
    }
  });

  const online = (userId, isOnline) => {
    const status = isOnline ? "online" : "offline";
    const payload = { userId, status, timestamp: new Date().toISOString() };
    const peers = new Set(state.conversationsOf(userId).flatMap((c) => c.participants.map((p) => p.user_id)));
    peers.delete(userId);
    for (const peer of peers) io.to(roomOf(peer)).emit("user:status_changed", payload);
  };

  io.on("connection", (socket) => {
    const { userId } = socket.data;
    socket.join(roomOf(userId));
    if (!plain) {
      const capabilities = { keys: true, cursor: true, orderedWindow: false, receipts: true, maxPayload };
      socket.emit("chatwire:hello", { capabilities, user: { id: userId } });
    }

    // A handler of an event that asks for no answer: what it refuses is dropped, as the original does.
    const on = (event, handle) =>
      socket.on(event, (payload, ack) => {
        try {
          handle(payload ?? {}, ack);
        } catch (error) {
          refuse(ack, error, plain);
        }
      });

    on("presence:online", () => online(userId, true));
    on("presence:offline", () => online(userId, false));
    on("chat:message_send", (payload, ack) => {
      hub.send(userId, requestOf(payload), {
        answer: (data, duplicate) => {
          if (typeof ack === "function") ack({ success: true, data, ...(duplicate && { duplicate }) });
        },
        cut: () => cut(socket),
      });
    });
    on("chat:message_delivered", ({ messageId }) => hub.mark(userId, messageId, "delivered"));
    on("chat:message_read", ({ messageId }) => hub.mark(userId, messageId, "read"));
    on("chat:typing", ({ conversationId, isTyping }) => hub.typing(userId, conversationId, isTyping));

    // What tests of the wire itself need: it comes back as an event and as the answer; it is asked of the client.
    socket.on("test:echo", (payload, ack) => {
      socket.emit("test:echoed", payload, "and more");
      if (typeof ack === "function") ack(payload);
    });
    socket.on("test:ask", (payload, ack) => {
      socket.emit("test:question", payload, (...answers) => ack({ answers }));
    });

    socket.on("disconnect", () => {
      if (!io.adapter.rooms.has(roomOf(userId))) online(userId, false);
    });
  });
}

/** Every socket of one user. */
export function roomOf(userId) {
  return `user:${userId}`;
}

/** Cuts a socket as a dead network would: no close frame, no DISCONNECT. */
export function cut(socket) {
  const { transport } = socket.conn;
  if (transport.name === "websocket") transport.socket.terminate();
  else socket.conn.close(true);
}

function requestOf(payload) {
  return {
    conversationId: payload.conversationId,
    content: payload.contentEncrypted,
    key: payload.clientMessageId,
    type: payload.message_type,
    replyTo: payload.reply_to,
    metadata: payload.metadata,
  };
}

function refuse(ack, error, plain) {
  if (!(error instanceof TeamError)) throw error;
  // D3: `error` is the object or a plain string; the original knows strings only.
  if (typeof ack === "function") ack({ success: false, error: plain ? error.message : error.toJSON() });
}
