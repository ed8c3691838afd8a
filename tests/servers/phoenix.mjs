// Phoenix sockets for tests: raw ones, that see every frame, and the official client of either line.
import { once } from "node:events";
import * as phoenix18 from "phoenix";
import * as phoenix17 from "phoenix-1.7";
import WebSocket from "ws";
import { rest } from "./client.mjs";
import { startReference } from "./reference.mjs";

const timeoutMs = 5_000;

/** Both lines in use (X1): the token goes by sub-protocol with 1.8, by the URL with 1.7, which knows no other way. */
export const lines = [
  { line: "1.8", phoenix: phoenix18, auth: (token) => ({ authToken: () => token }) },
  { line: "1.7", phoenix: phoenix17, auth: (token) => ({ params: () => ({ token }) }) },
];

/** What clients of 1.8 offer: standard base64, without padding. */
export function subprotocols(token) {
  return ["phoenix", `base64url.bearer.phx.${Buffer.from(token).toString("base64").replace(/=/g, "")}`];
}

/** `ws://…/websocket?vsn=2.0.0&…` below the base of D1. */
export function socketUrl(url, parameters = {}, path = "/websocket") {
  const query = new URLSearchParams({ vsn: "2.0.0", ...parameters });
  return `${url.replace(/^http/, "ws")}${path}?${query}`;
}

/** The HTTP status of an upgrade: 101, or why not. */
export async function upgradeStatus(url, protocols = [], headers = {}) {
  const ws = new WebSocket(url, protocols, { headers });
  const refused = once(ws, "unexpected-response").then(([request, response]) => {
    request.destroy();
    return response.statusCode;
  });
  const opened = once(ws, "open").then(() => 101);
  // The loser of the race, and what `ws` makes of an end that we asked for.
  ws.on("error", () => {});
  for (const loser of [refused, opened]) loser.catch(() => {});
  const status = await Promise.race([refused, opened]);
  ws.terminate();
  return status;
}

/** A socket without any client: keeps every frame, in order, so that none is missed between two waits. */
export async function openRaw(url, protocols = []) {
  const raw = new Raw(new WebSocket(url, protocols));
  await raw.opened;
  return raw;
}

export class Raw {
  /** Frames that nobody has taken yet, decoded: `[join_ref, ref, topic, event, payload]`. */
  seen = [];
  /** The close code, once it is closed. */
  code;
  #waiting = new Set();

  constructor(ws) {
    this.ws = ws;
    this.opened = once(ws, "open");
    ws.on("message", (data, isBinary) => {
      this.seen.push(isBinary ? decodeBinary(data) : JSON.parse(data.toString()));
      this.#check();
    });
    ws.on("close", (code) => {
      this.code = code;
      this.#check();
    });
    ws.on("error", () => {});
  }

  #check() {
    for (const check of [...this.#waiting]) check();
  }

  #until(what, take) {
    return new Promise((resolve, reject) => {
      const check = () => {
        const taken = take();
        if (taken === undefined) return;
        this.#waiting.delete(check);
        clearTimeout(timer);
        resolve(taken);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(
          new Error(
            `no ${what} in ${timeoutMs} ms; closed: ${this.code}; seen: ${JSON.stringify(this.seen)}`,
          ),
        );
      }, timeoutMs);
      this.#waiting.add(check);
      check();
    });
  }

  /** The next frame, whatever it is. */
  next() {
    return this.#until("frame", () => this.seen.shift());
  }

  /** The first frame not taken yet that fits. */
  take(what, fits) {
    return this.#until(what, () => {
      const index = this.seen.findIndex(fits);
      return index < 0 ? undefined : this.seen.splice(index, 1)[0];
    });
  }

  /** The reply to a ref: `{status, response}`. */
  async reply(ref) {
    const frame = await this.take(`reply to ${ref}`, ([, r, , event]) => r === ref && event === "phx_reply");
    return frame[4];
  }

  /** The payload of the first event of this name. */
  async event(name) {
    return (await this.take(name, ([, , , event]) => event === name))[4];
  }

  /** The code it was closed with. */
  closed() {
    return this.#until("close", () => this.code);
  }

  send(...frame) {
    this.ws.send(JSON.stringify(frame));
  }

  sendBinary(joinRef, ref, topic, event, data) {
    this.ws.send(encodePush(joinRef, ref, topic, event, data));
  }

  /** Joins and gives the response; presence that follows stays in `seen`. */
  async join(joinRef, topic, params = {}) {
    this.send(joinRef, joinRef, topic, "phx_join", params);
    return this.reply(joinRef);
  }

  async push(joinRef, ref, topic, event, payload = {}) {
    this.send(joinRef, ref, topic, event, payload);
    return this.reply(ref);
  }

  /** A round trip: what the server had decided to send before, has come. */
  async settle() {
    const ref = `settle-${performance.now()}`;
    this.send(null, ref, "phoenix", "heartbeat", {});
    await this.reply(ref);
    return this.seen.splice(0);
  }

  close() {
    this.ws.close(1000);
  }
}

/** X10, kind 0 of a client: four sizes in bytes of UTF-8. */
export function encodePush(joinRef, ref, topic, event, data) {
  const parts = [joinRef, ref, topic, event].map((part) => Buffer.from(part));
  return Buffer.concat([Buffer.from([0, ...parts.map((part) => part.length)]), ...parts, Buffer.from(data)]);
}

const shapes = {
  0: (parts, data) => [parts[0], null, parts[1], parts[2], data],
  1: (parts, data) => [parts[0], parts[1], parts[2], "phx_reply", { status: parts[3], response: data }],
  2: (parts, data) => [null, null, parts[0], parts[1], data],
};

/** The three shapes of a server, as the frame that they stand for; the payload is a Buffer. */
export function decodeBinary(bytes) {
  const kind = bytes[0];
  const count = { 0: 3, 1: 4, 2: 2 }[kind];
  let at = 1 + count;
  const parts = [...bytes.subarray(1, at)].map((size) => {
    at += size;
    return bytes.subarray(at - size, at).toString();
  });
  return shapes[kind](parts, Buffer.from(bytes.subarray(at)));
}

/**
 * A server with two people who have a conversation. What is started is pushed to `running`, to be closed by the test.
 * @returns `{server, signIn(name), ana, ben, id, topic, joined(person)}`; `joined` gives a raw socket that has joined the
 * conversation with join_ref "1", with `ask(event, payload)` on it.
 */
export async function setUpWire(running, args) {
  const server = await startReference(args);
  running.push(server);
  const signIn = async (name) => {
    const { token, user } = await server.login(name);
    const open = async () => {
      const socket = await openRaw(socketUrl(server.phoenix), subprotocols(token));
      running.push(socket);
      return socket;
    };
    return { token, id: user.id, open, rest: rest(server.phoenix, token) };
  };
  const [ana, ben] = [await signIn("ana"), await signIn("ben")];
  const created = await ana.rest("POST", "/api/conversations", { kind: "direct", user_id: ben.id });
  if (created.status !== 201) throw new Error(JSON.stringify(created.body));
  const { id } = created.body.conversation;
  const topic = `conversation:${id}`;
  const joined = async (person) => {
    const socket = await person.open();
    const { status, response } = await socket.join("1", topic);
    if (status !== "ok") throw new Error(JSON.stringify(response));
    await socket.event("presence_state");
    await socket.settle();
    let asked = 0;
    socket.ask = (event, payload) => socket.push("1", `ask ${++asked}`, topic, event, payload);
    return socket;
  };
  return { server, signIn, ana, ben, id, topic, joined };
}

/** The official client, connected. */
export async function openOfficial({ phoenix, auth }, url, token, options = {}) {
  const socket = new phoenix.Socket(url.replace(/^http/, "ws"), {
    transport: WebSocket,
    reconnectAfterMs: () => 20,
    rejoinAfterMs: () => 20,
    timeout: timeoutMs,
    ...auth(token),
    ...options,
  });
  const opened = new Promise((resolve) => socket.onOpen(resolve));
  socket.connect();
  await withTimeout(opened, "open");
  return {
    socket,
    phoenix,
    close: () => new Promise((resolve) => socket.disconnect(resolve)),
  };
}

/** A push or a join of the official client, as a promise of `{status, response}`. */
export function answered(push) {
  const answer = new Promise((resolve) => {
    for (const status of ["ok", "error", "timeout"]) {
      push.receive(status, (response) => resolve({ status, response }));
    }
  });
  return withTimeout(answer, "answer");
}

export async function withTimeout(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} in ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
