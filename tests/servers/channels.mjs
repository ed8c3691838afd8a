// A `channels` backend (WIRES.md H2 to H7) on the official Socket.IO server, in memory, for tests.
//
//   node channels.mjs [--port 0] [--plain] [--prefix /channels]
//
// Any token `user:NAME` is that user. Everybody is in every channel. A message's `id` is given by its sender and is its key,
// in both variants; `plain` is the original backend: no hello, errors are texts, and a repetition is not said to be one.
import { fileURLToPath } from "node:url";
import { invalid, notFound, TeamError } from "../../js/src/testing/team/errors.js";
import { userOf } from "../../js/src/testing/team/sockets.js";
import { runByHand, serveWire } from "./wires/serve.mjs";

const whole = ["id", "content", "channelId", "userId", "createdAt"];
const receipts = ["message:delivered", "message:read"];

/**
 * @param options as with `startTeamServer`
 * @returns what `serveWire` gives, and `log(channelId)`: the messages in their order, with `delivered` and `read` by whom
 */
export async function startChannelsServer({ plain = false, ...options } = {}) {
  const messages = new Map();
  const send = ({ userId, payload, reply, cut }) => {
    const refusal = server.faults.takeRefusal();
    if (refusal) throw refusal;
    const plan = server.faults.takePlan();
    if (plan === "dropBefore") return cut();
    const { message, isNew } = store(messages, userId, payload);
    // Where the answer is lost, the sender does not learn it from the broadcast either.
    if (plan) {
      if (isNew) server.emitBeside(userId, "message:new", message);
      return plan === "dropAfter" ? cut() : undefined;
    }
    if (isNew) server.emit(null, "message:new", message);
    const duplicate = !plain && !isNew;
    server.faults.answer(() => reply({ success: true, data: message, ...(duplicate && { duplicate }) }));
  };
  const mark = (event, { userId, payload, reply }) => {
    const held = messages.get(payload?.messageId);
    if (!held) throw notFound("message");
    held[event].add(userId);
    server.emit(held.message.userId, event, { messageId: payload.messageId });
    reply({ success: true });
  };
  const server = await serveWire(options, {
    admit,
    hello: plain ? null : { keys: true, cursor: false, orderedWindow: true, receipts: true },
    events: {
      "message:send": send,
      ...Object.fromEntries(receipts.map((event) => [event, (call) => mark(event, call)])),
    },
    refuse: (reply, error) => reply({ success: false, error: plain ? "message_failed" : error.toJSON() }),
  });
  return {
    ...server,
    log: (channelId) =>
      [...messages.values()]
        .filter(({ message }) => message.channelId === channelId)
        .map(({ message, ...by }) => ({
          ...message,
          delivered: [...by["message:delivered"]],
          read: [...by["message:read"]],
        })),
  };
}

/** H2, H6 */
function admit(auth, faults) {
  try {
    const name = userOf(auth?.token, faults);
    if (auth.userId === name) return name;
  } catch {
    throw new TeamError("auth_failed", "jwt expired");
  }
  throw new TeamError("connection_error", "userId is not the token's user");
}

/** The same id with the same content is the same message; H4 to the letter. */
function store(messages, userId, payload) {
  for (const field of whole) {
    if (typeof payload?.[field] !== "string" || payload[field] === "")
      throw invalid(field, `${field} must be a string`);
  }
  if (payload.userId !== userId) throw invalid("userId", "userId is not the token's user");
  if (Number.isNaN(Date.parse(payload.createdAt))) throw invalid("createdAt", "createdAt must be a time");
  const held = messages.get(payload.id);
  if (!held) {
    const message = { ...payload };
    messages.set(message.id, {
      message,
      ...Object.fromEntries(receipts.map((event) => [event, new Set()])),
    });
    return { message, isNew: true };
  }
  const isSame = whole.every((field) => held.message[field] === payload[field]);
  if (!isSame) throw invalid("id", "this id was used for another message");
  return { message: held.message, isNew: false };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runByHand("channels", startChannelsServer);
