// A WebSocket of the assistant's wire, with what tests need: every frame kept, so that none is missed between two waits.
import { once } from "node:events";
import { WebSocket } from "ws";

const timeoutMs = 5_000;

/** The sub-protocols that carry a token (D9). */
export const sealed = (token) => ["chatwire", `bearer.${Buffer.from(token, "utf8").toString("base64url")}`];

/** An open socket. `next(type)` gives each frame's payload once; a bare record is one of type `record`. */
export async function openSocket(url, protocols = [], options = {}) {
  const socket = new WebSocket(url, protocols, options);
  const seen = [];
  const waiting = new Set();
  const closed = once(socket, "close").then(([code, reason]) => ({ code, reason: reason.toString() }));
  // An end that a test asked for is no failure; one before the opening is told by `once`.
  closed.catch(() => {});
  socket.on("message", (data) => {
    const frame = JSON.parse(data.toString());
    const isRecord = "sender" in frame;
    seen.push({ type: isRecord ? "record" : frame.type, payload: isRecord ? frame : frame.payload });
    for (const check of [...waiting]) check();
  });
  await once(socket, "open");
  socket.on("error", () => {});
  return {
    socket,
    seen,
    closed,
    next(type, fits = () => true) {
      return new Promise((resolve, reject) => {
        const take = () => {
          const index = seen.findIndex((frame) => frame.type === type && fits(frame.payload));
          if (index < 0) return;
          waiting.delete(take);
          clearTimeout(timer);
          resolve(seen.splice(index, 1)[0].payload);
        };
        const timer = setTimeout(() => {
          waiting.delete(take);
          reject(new Error(`no ${type} in ${timeoutMs} ms; seen: ${JSON.stringify(seen)}`));
        }, timeoutMs);
        waiting.add(take);
        take();
      });
    },
    send: (frame) => socket.send(typeof frame === "string" ? frame : JSON.stringify(frame)),
    close() {
      socket.close(1000, "done");
      return closed;
    },
  };
}
