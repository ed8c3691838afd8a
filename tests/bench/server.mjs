// The backend of every contender, a process of its own: the official Socket.IO server with the names of `team`, in memory.
//
// Each visit of a browser is a user of its own. `POST /control/…` says what the others of that user's conversations do.
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { setImmediate, setTimeout } from "node:timers/promises";
import { Server } from "socket.io";
import { idOf, textOf } from "./texts.js";

const cors = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "authorization, content-type",
};
/** Between two looks at the network while a burst goes out. */
const emittedAtOnce = 100;
const worlds = new Map();

/** What one user sees: conversations, each a list of rows in the order of their `seq`. */
class World {
  constructor({ user, conversations, ackDelayMs = 0 }) {
    Object.assign(this, { user, ackDelayMs, keys: new Map() });
    this.conversations = Array.from({ length: conversations }, (_, number) => ({
      id: idOf(user, number),
      number,
      rows: [],
    }));
  }

  /** The next message of somebody else. */
  add(conversation) {
    const text = textOf(conversation.number, conversation.rows.length + 1);
    return this.#append(conversation, "ben", Buffer.from(text).toString("base64"));
  }

  /** A message of the user, once for each key. */
  send({ conversationId, contentEncrypted, clientMessageId }) {
    const known = this.keys.get(clientMessageId);
    if (known) return known;
    const conversation = this.conversations.find(({ id }) => id === conversationId);
    const row = this.#append(conversation, this.user, contentEncrypted);
    row.client_message_id = clientMessageId;
    this.keys.set(clientMessageId, row);
    return row;
  }

  #append({ id, number, rows }, sender, content) {
    const seq = rows.length + 1;
    const row = {
      id: `01J${String(number).padStart(8, "0")}${String(seq).padStart(15, "0")}`,
      sender_id: sender,
      content_encrypted: content,
      conversation_id: id,
      message_type: "text",
      created_at: new Date().toISOString(),
      seq,
    };
    rows.push(row);
    return row;
  }
}

const control = {
  world: (order) => void worlds.set(order.user, new World(order)),
  /** So many messages more in each conversation, which nobody is told of. */
  add({ user, each }) {
    const world = worlds.get(user);
    for (const conversation of world.conversations) for (let i = 0; i < each; i++) world.add(conversation);
  },
  /** The same, told live: in turn, one frame each, at once or `overMs`. */
  async burst({ user, each, overMs = 0 }) {
    const world = worlds.get(user);
    const total = each * world.conversations.length;
    const began = performance.now();
    for (let sent = 0; sent < total; sent++) {
      const row = world.add(world.conversations[sent % world.conversations.length]);
      io.to(user).emit("chat:message_received", row);
      if (overMs > 0)
        await setTimeout(Math.max(0, began + (overMs * (sent + 1)) / total - performance.now()));
      else if (sent % emittedAtOnce === 0) await setImmediate();
    }
  },
  /** What has arrived, in order: `[[text, …] of each conversation]`. */
  log: ({ user }) =>
    worlds
      .get(user)
      .conversations.map(({ rows }) =>
        rows.map((row) => Buffer.from(row.content_encrypted, "base64").toString()),
      ),
  sockets: ({ user }) => io.sockets.adapter.rooms.get(user)?.size ?? 0,
  forget: ({ user }) => void worlds.delete(user),
};

function conversations(world, query) {
  const [offset, limit] = [Number(query.get("offset") ?? 0), Number(query.get("limit") ?? 100)];
  const page = world.conversations.slice(offset, offset + limit);
  const list = page.map(({ id, number, rows }) => ({
    id,
    type: "group",
    title: `conversation ${number}`,
    participants: [
      { user_id: world.user, username: world.user, role: "member" },
      { user_id: "ben", username: "ben", role: "admin" },
    ],
    last_message: rows.at(-1) ?? null,
    unread_count: rows.length,
    last_seq: rows.length,
  }));
  return { conversations: list, has_more: offset + limit < world.conversations.length };
}

function messages(world, id, query) {
  const { rows } = world.conversations.find((conversation) => conversation.id === id);
  const limit = Number(query.get("limit") ?? 50);
  const after = query.get("after");
  if (after === null) {
    const end = Math.max(0, rows.length - Number(query.get("offset") ?? 0));
    return { messages: rows.slice(Math.max(0, end - limit), end), has_more: end > limit };
  }
  const rest = rows.slice(Number(after));
  return { messages: rest.slice(0, limit), has_more: rest.length > limit };
}

async function answer(request, url) {
  const [, area, what, id] = url.pathname.split("/");
  if (area === "control") return control[what](await json(request));
  const world = worlds.get(request.headers.authorization?.slice("Bearer ".length));
  return what === "conversations"
    ? conversations(world, url.searchParams)
    : messages(world, id, url.searchParams);
}

const http = createServer(async (request, response) => {
  if (request.method === "OPTIONS")
    return response.writeHead(204, { ...cors, "access-control-max-age": "600" }).end();
  try {
    const body = await answer(request, new URL(request.url, "http://local"));
    response
      .writeHead(200, { ...cors, "content-type": "application/json" })
      .end(JSON.stringify(body ?? null));
  } catch (error) {
    response.writeHead(500, cors).end(String(error?.stack));
  }
});

const io = new Server(http, { cors: { origin: "*" }, serveClient: false, maxHttpBufferSize: 1_000_000 });
io.on("connection", (socket) => {
  const user = socket.handshake.auth.token;
  socket.join(user);
  const capabilities = {
    keys: true,
    cursor: true,
    orderedWindow: false,
    receipts: false,
    maxPayload: 1_000_000,
  };
  socket.emit("chatwire:hello", { capabilities, user: { id: user } });
  socket.on("chat:message_send", async (payload, ack) => {
    const world = worlds.get(user);
    const data = world.send(payload);
    if (world.ackDelayMs > 0) await setTimeout(world.ackDelayMs);
    ack({ success: true, data });
  });
});

http.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${http.address().port}`));
