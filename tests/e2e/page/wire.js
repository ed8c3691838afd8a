// Watches the real WebSocket: which send of which key has left the page, which answer has come in. It sees a frame before
// the client does, and can stop the page there for good: then an answer has arrived and will never be stored.
import { tell } from "./tell.js";

let stallAfter = Number.POSITIVE_INFINITY;

/** The page hangs at the answer after the next `skip` ones. */
export function stallAtAnswer(skip) {
  stallAfter = skip;
}

/** A send, with the number of its answer where it asks for one; and where its key stands: `id` with `channels`. */
const sends = /^42(?:\/[^,]*,)?(\d*)\["(?:chat:message_send|message:send|send_message)"/;
const keys = /"(?:clientMessageId|client_message_id|client_id|id)":"([^"]+)"/;

const Real = globalThis.WebSocket;

globalThis.WebSocket = class WatchedSocket extends Real {
  #keys = new Map();

  constructor(...args) {
    super(...args);
    // Added before any listener of the client, so it runs first.
    this.addEventListener("message", ({ data }) => this.#onFrame(data));
    this.addEventListener("close", ({ code }) => tell({ kind: "socketClosed", code }));
  }

  send(data) {
    super.send(data);
    const [, ack] = sends.exec(data) ?? [];
    if (ack === undefined) return;
    const key = keys.exec(data)?.[1] ?? null;
    if (ack !== "") this.#keys.set(ack, key);
    tell({ kind: "frameOut", key });
  }

  #onFrame(data) {
    const [, ack, success] = /^43(?:\/[^,]*,)?(\d+)\[.*?"success":\s*(true|false)/s.exec(data) ?? [];
    if (ack === undefined || !this.#keys.has(ack)) return;
    tell({ kind: success === "true" ? "answerIn" : "refusalIn", key: this.#keys.get(ack) });
    this.#keys.delete(ack);
    if (success === "true" && stallAfter-- <= 0) hang();
  }
};

function hang() {
  tell({ kind: "stalled" });
  for (;;);
}
