// A `companion` backend (WIRES.md C1 to C6, D8) on the official Socket.IO server, in memory, for tests.
//
//   node companion.mjs [--port 0] [--plain] [--prefix /companion]
//
// The token `user:7` is the user with the number 7. Ids of users and messages are numbers: a text in the place of a number
// is refused, as a strict pydantic model would. Nothing is answered; what is refused is dropped. `plain` is the original
// backend: no hello, and `client_id` is neither kept nor shown.
import { fileURLToPath } from "node:url";
import { invalid, TeamError } from "../../js/src/testing/team/errors.js";
import { userOf } from "../../js/src/testing/team/sockets.js";
import { runByHand, serveWire } from "./wires/serve.mjs";

/**
 * @param options as with `startTeamServer`; `echo`: whether a message comes back to its sender as `message_received`
 * @returns what `serveWire` gives, and `log(userId, girlId)`, and her part: `says, types, reads`
 */
export async function startCompanionServer({ plain = false, echo = true, ...options } = {}) {
  const state = new CompanionState(plain);
  const keeps = { keys: true, cursor: false, orderedWindow: false, receipts: true };
  const server = await serveWire(options, {
    admit,
    hello: plain ? null : keeps,
    events: {
      send_message: ({ userId, payload, cut }) => {
        requireUser(payload, userId);
        const plan = server.faults.takePlan();
        if (plan === "dropBefore") return cut();
        const { record, isNew } = state.send(userId, payload);
        if (plan === "dropAfter") return cut();
        if (echo && isNew && plan !== "lose") server.emit(userId, "message_received", { message: record });
      },
      typing_indicator: ({ userId, payload }) => {
        requireUser(payload, userId);
        requireGirl(payload);
        if (typeof payload.is_typing !== "boolean") throw invalid("is_typing", "is_typing must be a boolean");
      },
      mark_read: ({ userId, payload }) => {
        requireUser(payload, userId);
        state.mark(userId, payload);
      },
      request_photo: ({ userId, payload }) => {
        requireUser(payload, userId);
        const girl_id = requireGirl(payload);
        server.emit(userId, "photo_generated", {
          girl_id,
          photo_url: `https://photos.example/${girl_id}.png`,
        });
      },
    },
    refuse: () => {},
  });
  return {
    ...server,
    /** Every record of a conversation in its order; hers with `read` once she was read. */
    log: (userId, girlId) => state.log(userId, girlId),
    /** She says something: told to the user's sockets, or kept for nobody, as the original does. Gives the record. */
    says(userId, girlId, content, rest = {}) {
      const record = state.add(userId, girlId, { content, sender: "girl", ...rest });
      server.emit(userId, "message_received", { message: record });
      return record;
    },
    types: (userId, girlId, isTyping) =>
      server.emit(userId, "typing", { girl_id: girlId, is_typing: isTyping }),
    reads: (userId, girlId, messageId) =>
      server.emit(userId, "message_read", { message_id: messageId, girl_id: girlId }),
  };
}

function admit(auth, faults) {
  const name = userOf(auth?.token, faults);
  if (!Number.isSafeInteger(auth.user_id)) throw invalid("user_id", "user_id must be an integer");
  if (String(auth.user_id) !== name) throw new TeamError("AuthError", "user_id is not the token's user");
  return name;
}

class CompanionState {
  #conversations = new Map();
  #keys = new Map();
  #lastId = 0;
  #lastMs = 0;

  constructor(plain) {
    this.plain = plain;
  }

  send(userId, payload) {
    const girlId = requireGirl(payload);
    const { content, client_id: key } = payload;
    if (typeof content !== "string" || content === "") throw invalid("content", "content must be a string");
    if (this.plain || key === undefined) {
      return { record: this.add(userId, girlId, { content, sender: "user" }), isNew: true };
    }
    if (typeof key !== "string" || key === "") throw invalid("client_id", "client_id must be a string");
    const known = this.#keys.get(`${userId} ${key}`);
    if (known) return { record: known, isNew: false };
    const record = this.add(userId, girlId, { content, sender: "user", client_id: key });
    this.#keys.set(`${userId} ${key}`, record);
    return { record, isNew: true };
  }

  /** D8. Each has a millisecond of its own: their times are all that orders them at the client (D13). */
  add(userId, girlId, { type = "text", ...rest }) {
    this.#lastMs = Math.max(Date.now(), this.#lastMs + 1);
    const timestamp = new Date(this.#lastMs).toISOString();
    const record = { id: ++this.#lastId, girl_id: girlId, ...rest, timestamp, type };
    this.log(userId, girlId).push(record);
    return record;
  }

  mark(userId, payload) {
    const records = this.log(userId, requireGirl(payload));
    const { message_ids: ids } = payload;
    if (!Array.isArray(ids) || !ids.every(Number.isSafeInteger))
      throw invalid("message_ids", "message_ids must be a list of integers");
    for (const record of records) {
      if (record.sender === "girl" && ids.includes(record.id)) record.read = true;
    }
  }

  log(userId, girlId) {
    const place = `${userId}/${girlId}`;
    if (!this.#conversations.has(place)) this.#conversations.set(place, []);
    return this.#conversations.get(place);
  }
}

function requireUser(payload, userId) {
  const { user_id } = payload ?? {};
  if (!Number.isSafeInteger(user_id)) throw invalid("user_id", "user_id must be an integer");
  if (String(user_id) !== userId) throw invalid("user_id", "user_id is not the token's user");
}

/** A name or a number, by the deployment. */
function requireGirl({ girl_id }) {
  if (Number.isSafeInteger(girl_id) || (typeof girl_id === "string" && girl_id !== "")) return girl_id;
  throw invalid("girl_id", "girl_id must be a name or a number");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runByHand("companion", startCompanionServer);
