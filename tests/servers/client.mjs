// The official client, with what tests need: waiting for events, acks with a time-out, REST.
import assert from "node:assert/strict";
import { io } from "socket.io-client";

const timeoutMs = 5_000;

/** The base64 of UTF-8 text, as T5 has it before encryption. */
export const sealed = (text) => Buffer.from(text, "utf8").toString("base64");

/** A client at `url` (D1: its path is a prefix). Keeps every event it got, so that none is missed between two waits. */
export function open(url, token, options = {}) {
  const { origin, pathname } = new URL(url);
  const socket = io(origin, {
    path: `${pathname === "/" ? "" : pathname}/socket.io`,
    transports: ["websocket"],
    reconnection: false,
    forceNew: true,
    auth: { token },
    ...options,
  });
  const seen = [];
  const waiting = new Set();
  const record = (event, payload) => {
    const entry = { event, payload };
    seen.push(entry);
    for (const check of [...waiting]) check();
  };
  socket.onAny((event, payload) => record(event, payload));
  for (const event of ["connect", "disconnect", "connect_error"]) {
    socket.on(event, (payload) => record(event, payload));
  }
  return {
    socket,
    seen,
    /** The payload of the first event of this name that has not been taken yet and fits. */
    next(event, fits = () => true) {
      return new Promise((resolve, reject) => {
        const take = () => {
          const index = seen.findIndex((e) => e.event === event && fits(e.payload));
          if (index < 0) return;
          const [entry] = seen.splice(index, 1);
          waiting.delete(take);
          clearTimeout(timer);
          resolve(entry.payload);
        };
        const timer = setTimeout(() => {
          waiting.delete(take);
          reject(new Error(`no ${event} in ${timeoutMs} ms; seen: ${seen.map((e) => e.event).join(", ")}`));
        }, timeoutMs);
        waiting.add(take);
        take();
      });
    },
    ask(event, payload) {
      return socket.timeout(timeoutMs).emitWithAck(event, payload);
    },
    close() {
      socket.disconnect();
    },
  };
}

/** A client that is connected. */
export async function connected(url, token, options) {
  const client = open(url, token, options);
  await client.next("connect");
  return client;
}

/** REST as one user: `call("POST", "/api/…", body)` → `{status, body}`. */
export function rest(url, token) {
  return async (method, path, body) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text), response };
  };
}

/** Asserts a REST refusal of D3. */
export function assertRefused({ status, body }, expectedStatus, code) {
  assert.equal(status, expectedStatus, JSON.stringify(body));
  assert.equal(body.error.code, code);
  assert.equal(typeof body.error.message, "string");
}
