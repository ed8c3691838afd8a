// The Socket.IO half (T1 to T5), on whatever has the interface of Socket.IO's server: a namespace and its sockets.
import { TeamError } from "./errors.js";

/** `user:NAME`, with `#anything` behind it for a fresh token of the same user; everything else is refused. */
export function userOf(token, faults) {
  const match = typeof token === "string" ? /^user:([^#]+)(#.*)?$/.exec(token) : null;
  if (!match || faults.isRevoked(token)) throw new TeamError("AuthError", "invalid token");
  return match[1];
}

/**
 * @param io the namespace
 * @param options.cut ends a socket as a dead network would
 */
export function serveSockets(io, hub, { plain, maxPayload, cut }) {
  const { faults } = hub;

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

    on("presence:online", () => hub.online(userId, true));
    on("presence:offline", () => hub.online(userId, false));
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

    socket.on("disconnect", () => {
      if (!io.adapter.rooms.has(roomOf(userId))) hub.online(userId, false);
    });
  });
}

/** Every socket of one user. */
export function roomOf(userId) {
  return `user:${userId}`;
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
