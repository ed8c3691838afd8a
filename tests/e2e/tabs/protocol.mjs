// The DevTools protocol over one socket, as the browser speaks it: no library stands between, which would make every page
// visible and freeze none.
import { once } from "node:events";
import WebSocket from "ws";

const patienceMs = 30_000;

/** What the browser answered instead of a result, or that it did not answer. */
export class ProtocolError extends Error {
  name = "ProtocolError";
}

export class Protocol {
  #socket;
  #lastId = 0;
  #pending = new Map();
  #watchers = new Set();
  #listeners = [];
  /** Why nothing is answered any more. */
  #ended;

  static async connect(url) {
    const protocol = new Protocol();
    const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 256 * 1024 * 1024 });
    protocol.#socket = socket;
    await once(socket, "open", { signal: AbortSignal.timeout(patienceMs) });
    socket.on("message", (data) => protocol.#onMessage(JSON.parse(data)));
    socket.on("error", () => {});
    socket.on("close", () => protocol.#end("the browser closed the connection"));
    return protocol;
  }

  get isOpen() {
    return this.#ended === undefined;
  }

  /** Resolves with the answer; rejects with `ProtocolError`, also where none comes in time. */
  send(method, params = {}, { patienceMs: limit = patienceMs } = {}) {
    if (!this.isOpen) return Promise.reject(new ProtocolError(`${method}: ${this.#ended}`));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(id, { error: `no answer in ${limit} ms` }), limit);
      this.#pending.set(id, { method, resolve, reject, timer });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  /** Resolves with the parameters of the next event of this name. Ask before you do what causes it. */
  next(event, { patienceMs: limit = patienceMs } = {}) {
    return new Promise((resolve, reject) => {
      const watcher = {
        event,
        resolve: (params) => settle(resolve, params),
        reject: (why) => settle(reject, new ProtocolError(`${event}: ${why}`)),
      };
      const timer = setTimeout(() => watcher.reject(`not seen in ${limit} ms`), limit);
      const settle = (settled, value) => {
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        settled(value);
      };
      this.#watchers.add(watcher);
      if (!this.isOpen) watcher.reject(this.#ended);
    });
  }

  /** Hears every event of this name from now on. */
  on(event, listener) {
    this.#listeners.push({ event, listener });
  }

  /** Lets the connection go; the page stays. */
  close() {
    this.#end("the test closed the connection");
    this.#socket.terminate();
  }

  #onMessage({ id, method, params, result, error }) {
    if (id !== undefined) return this.#settle(id, { result, error: error?.message });
    for (const { event, listener } of this.#listeners) if (event === method) listener(params);
    for (const watcher of [...this.#watchers]) {
      if (watcher.event === method) watcher.resolve(params);
    }
    // What waited for an answer of this page waits in vain.
    if (method === "Inspector.targetCrashed") this.#fail("the page crashed");
  }

  #settle(id, { result, error }) {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    if (error === undefined) pending.resolve(result);
    else pending.reject(new ProtocolError(`${pending.method}: ${error}`));
  }

  #end(why) {
    if (!this.isOpen) return;
    this.#ended = why;
    this.#fail(why);
    for (const watcher of [...this.#watchers]) watcher.reject(why);
  }

  #fail(why) {
    for (const id of [...this.#pending.keys()]) this.#settle(id, { error: why });
  }
}
