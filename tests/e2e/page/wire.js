// Watches the real WebSocket: which send of which key has left the page, which answer has come in. It sees a frame before
// the client does, and can stop the page there for good: then a frame has left, or an answer has arrived, and what follows of
// it will never be stored.
import { tell } from "./tell.js";

/** How many more frames of sends, and how many more answers, until the page hangs at the next one. */
const stalls = { left: Number.POSITIVE_INFINITY, answered: Number.POSITIVE_INFINITY };

/** The page hangs after the next `skip` ones: `left` is the frame of a send, `answered` the answer to one. */
export function stallAt(what, skip) {
  stalls[what] = skip;
}

/** Socket.IO: an event or an ack, its namespace left out, and its number where it has one. */
const packet = /^4([23])(?:\/[^,]*,)?(\d*)(?=\[)/;
const socketIoSends = ["chat:message_send", "message:send", "send_message"];

/**
 * What a frame that goes out says of a send: `{key, ref}`. `ref` is what the answer calls it by, where that is not the key;
 * the key stands in a field of each wire's own, `id` with `channels`.
 */
function sendIn(frame) {
  const [head, , ref] = packet.exec(frame) ?? [];
  const isPhoenix = frame.startsWith("[");
  if (head === undefined && !isPhoenix && !frame.startsWith("{")) return undefined;
  const body = JSON.parse(frame.slice(head?.length ?? 0));
  if (head !== undefined) {
    const [event, payload] = body;
    return socketIoSends.includes(event) ? { key: keyIn(payload), ref } : undefined;
  }
  if (isPhoenix) return body[3] === "message:send" ? { key: keyIn(body[4]), ref: body[1] } : undefined;
  return body.type === "command" ? { key: keyIn(body.payload) } : undefined;
}

function keyIn(payload) {
  const { clientMessageId, client_message_id, client_id, id } = payload ?? {};
  return clientMessageId ?? client_message_id ?? client_id ?? id ?? null;
}

/** What a frame that comes in says of a send: `{ref, isGood}`. */
function answerIn(frame) {
  const [head, kind, ref] = packet.exec(frame) ?? [];
  const isOurs = kind === "3" || (head === undefined && /^[[{]/.test(frame));
  const body = isOurs ? parsed(frame.slice(head?.length ?? 0)) : undefined;
  if (kind === "3") return { ref, isGood: body?.[0]?.success === true };
  if (Array.isArray(body)) {
    const [, ref, , event, payload] = body;
    return event === "phx_reply" ? { ref, isGood: payload?.status === "ok" } : undefined;
  }
  const key = body?.payload?.clientMessageId;
  if (key === undefined || (body.type !== "ack" && body.type !== "error")) return undefined;
  return { ref: key, isGood: body.type === "ack" };
}

/** What a server says may be anything. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const Real = globalThis.WebSocket;

globalThis.WebSocket = class WatchedSocket extends Real {
  /** By what their answers call them. */
  #keys = new Map();

  constructor(...args) {
    super(...args);
    // Added before any listener of the client, so it runs first.
    this.addEventListener("message", ({ data }) => this.#onFrame(data));
    this.addEventListener("close", ({ code }) => tell({ kind: "socketClosed", code }));
  }

  send(data) {
    super.send(data);
    const sent = typeof data === "string" ? sendIn(data) : undefined;
    if (sent === undefined) return;
    const { key, ref = key } = sent;
    if (ref) this.#keys.set(ref, key);
    tell({ kind: "frameOut", key });
    if (stalls.left-- <= 0) hang();
  }

  #onFrame(data) {
    const answer = typeof data === "string" ? answerIn(data) : undefined;
    if (answer === undefined || !this.#keys.has(answer.ref)) return;
    tell({ kind: answer.isGood ? "answerIn" : "refusalIn", key: this.#keys.get(answer.ref) });
    this.#keys.delete(answer.ref);
    if (answer.isGood && stalls.answered-- <= 0) hang();
  }
};

function hang() {
  tell({ kind: "stalled" });
  for (;;);
}
