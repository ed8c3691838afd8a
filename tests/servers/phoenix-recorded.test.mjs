// Frames recorded from real Phoenix servers (tests/fixtures/phoenix/v2.jsonl), played to our endpoint: it answers as they
// did, frame by frame and in their order. Topics and events of the recorded server become ours; what a join answers, and
// `phx_ref`, is ours by nature.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { rest } from "./client.mjs";
import { decodeBinary, encodePush, openRaw, socketUrl, subprotocols } from "./phoenix.mjs";
import { startReference } from "./reference.mjs";

const steps = readFileSync(new URL("../fixtures/phoenix/v2.jsonl", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line));
const recorded = (scenario) => steps.filter((step) => step.scenario === scenario);

/** The recorded server's events, as the test switches have them; what is not here is left out, with its reply. */
const events = {
  "": "",
  phx_join: "phx_join",
  phx_leave: "phx_leave",
  phx_close: "phx_close",
  heartbeat: "heartbeat",
  other: "other",
  nosuch: "nosuch",
  crash: "crash",
  echo: "test:echo",
  refs: "test:echo",
  new_msg: "test:broadcast",
  // A size that is too small has cut the name.
  bin_ech: "nosuch",
  bin_echo: "test:echo",
  bin_reply_to_json: "test:echo_other",
  bin_push: "test:push",
  bin_pushed: "test:pushed",
  bin_broadcast: "test:broadcast",
  bin_bcast: "test:broadcast",
  new_msg_ack: "test:broadcast_ack",
  close: "test:close",
  close_shutdown: "test:close",
  close_reply: "test:close_reply",
};

/** Their answers say something of the recorded server. */
const loose = ["phx_join", "refs", "bin_reply_to_json"];

class Replay {
  #left = new Set();
  #loose = new Set();
  #aliases = [new Map(), new Map()];

  /**
   * @param open opens the socket of a name in the recording
   * @param topicOf a recorded topic → ours
   * @param userNames our user ids → the keys of the recorded presence
   */
  constructor(open, topicOf, userNames = {}) {
    this.open = open;
    this.topicOf = topicOf;
    this.userNames = userNames;
    this.sockets = new Map();
  }

  async run(scenario) {
    const list = recorded(scenario);
    assert.ok(list.length > 0, `no scenario ${scenario}`);
    this.hasPresence = list.some((step) => step.data?.includes?.("presence_diff"));
    let compared = 0;
    for (const step of list) compared += await this.#play(step);
    assert.ok(compared > 0, `nothing of ${scenario} was compared`);
    for (const [name, socket] of this.sockets)
      assert.deepEqual(this.#rest(socket), [], `more came to ${name}`);
  }

  async #play({ conn, dir, kind, data, code, note }) {
    const socket = this.sockets.get(conn);
    if (kind === "open") {
      if (dir === "client") this.sockets.set(conn, await this.open(conn));
      return 0;
    }
    if (kind === "close") return this.#close(socket, dir, code);
    const bytes =
      kind === "binary" || note.includes("base64") ? Buffer.from(data, "base64") : Buffer.from(data);
    if (dir === "client") return this.#send(socket, conn, kind, bytes);
    const expected = kind === "binary" ? decodeBinary(bytes) : JSON.parse(bytes.toString());
    if (this.#left.has(`${conn} ${JSON.stringify(expected[1])}`)) return 0;
    const got = await this.#next(socket);
    assert.deepEqual(this.#plain(got, conn, 1), this.#plain(this.#ours(expected), conn, 0));
    return 1;
  }

  async #close(socket, dir, code) {
    if (dir === "server") {
      assert.equal(await socket.closed(), code);
      return 1;
    }
    if (code === 1006) socket.ws.terminate();
    else socket.ws.close(code);
    return 0;
  }

  #send(socket, conn, kind, bytes) {
    const frame = decoded(kind, bytes);
    if (frame === undefined) {
      socket.ws.send(bytes, { binary: kind === "binary" });
      return 0;
    }
    const [, ref, , event] = frame;
    const id = `${conn} ${JSON.stringify(ref)}`;
    if (typeof event === "string" && !(event in events)) {
      this.#left.add(id);
      return 0;
    }
    if (loose.includes(event)) this.#loose.add(id);
    const ours = this.#ours(frame);
    if (kind === "binary") socket.ws.send(encodePush(...ours));
    else socket.ws.send(spaced(bytes.toString(), frame, ours));
    return 0;
  }

  #ours([joinRef, ref, topic, event, ...rest]) {
    return [joinRef, ref, this.topicOf(topic), events[event] ?? event, ...rest];
  }

  /** Our conversations tell of presence where the recorded rooms did not. */
  async #next(socket) {
    for (;;) {
      const frame = await socket.next();
      if (this.hasPresence || !String(frame[3]).startsWith("presence_")) return frame;
    }
  }

  #rest(socket) {
    return socket.seen.filter((frame) => this.hasPresence || !String(frame[3]).startsWith("presence_"));
  }

  /** What both sides must agree in. `side`: 0 the recording, 1 ours. */
  #plain([joinRef, ref, topic, event, payload], conn, side) {
    if (event === "presence_diff") {
      const { joins, leaves } = payload;
      return [
        joinRef,
        ref,
        topic,
        event,
        { joins: this.#metas(joins, side), leaves: this.#metas(leaves, side) },
      ];
    }
    if (event === "presence_state") return [joinRef, ref, topic, event, this.#metas(payload, side)];
    if (event !== "phx_reply") return [joinRef, ref, topic, event, payload];
    const { status, response } = payload;
    const isLoose = this.#loose.has(`${conn} ${JSON.stringify(ref)}`);
    if (!isLoose) return [joinRef, ref, topic, event, payload];
    const what = Buffer.isBuffer(response) ? "binary" : "text";
    return [joinRef, ref, topic, event, status, what, status === "error" ? response.reason : "ours"];
  }

  #metas(users, side) {
    const aliases = this.#aliases[side];
    const alias = (ref) => {
      if (!aliases.has(ref)) aliases.set(ref, aliases.size);
      return aliases.get(ref);
    };
    const plain = Object.entries(users).map(([key, { metas }]) => {
      const name = side === 1 ? this.userNames[key] : key;
      return [name, metas.map((meta) => alias(meta.phx_ref))];
    });
    return Object.fromEntries(plain.sort());
  }
}

/** A frame of a client, if it is one at all. */
function decoded(kind, bytes) {
  if (kind === "binary") {
    const [k, ...sizes] = bytes.subarray(0, 5);
    const total = 5 + sizes.reduce((sum, size) => sum + size, 0);
    if (k !== 0 || sizes.length < 4 || total > bytes.length) return undefined;
    let at = 5;
    const parts = sizes.map((size) => {
      at += size;
      return bytes.subarray(at - size, at);
    });
    if (parts.some((part) => !Buffer.from(part.toString()).equals(part))) return undefined;
    return [...parts.map(String), bytes.subarray(at)];
  }
  try {
    const frame = JSON.parse(bytes.toString());
    return Array.isArray(frame) && frame.length >= 5 ? frame : undefined;
  } catch {
    return undefined;
  }
}

/** The text as it was recorded, spaces and all, with our names in it. */
function spaced(text, theirs, ours) {
  const swap = (text, index) =>
    typeof theirs[index] === "string" && theirs[index] !== ours[index]
      ? text.replace(JSON.stringify(theirs[index]), JSON.stringify(ours[index]))
      : text;
  return swap(swap(text, 2), 3);
}

let server;
before(async () => {
  server = await startReference(["--max-channels", "2"]);
});
after(() => server.close());

let people = 0;
async function signIn() {
  const { token, user } = await server.login(`recorded ${++people}`);
  const open = (path) => openRaw(socketUrl(server.phoenix, {}, path), subprotocols(token));
  return { id: user.id, open, rest: rest(server.phoenix, token) };
}

async function direct(one, other) {
  const { body } = await one.rest("POST", "/api/conversations", { kind: "direct", user_id: other.id });
  return `conversation:${body.conversation.id}`;
}

/** One recorded room: the topic of a user. */
const ofOneRoom = [
  "normal-join-push-leave",
  "push-before-join",
  "pipelined-join-and-push",
  "duplicate-join-same-join-ref",
  "leave-wrong-join-ref",
  "channel-crash",
  "crash-drops-broadcast-until-rejoin",
  "server-close-channel",
  "heartbeat",
  "ref-types",
  "extra-array-elements",
  "bad-malformed-json",
  "bad-empty-text-frame",
  "bad-array-too-short",
  "bad-empty-array",
  "bad-json-object-on-v2",
  "bad-json-scalar",
  "bad-json-null",
  "bad-topic-number-join",
  "bad-event-empty",
  "bad-trailing-garbage",
  "bad-whitespace-json",
  "push-with-null-ref",
  "binary-push-reply",
  "binary-broadcast-two-clients",
  "binary-unjoined",
  "binary-leave",
  "binary-heartbeat",
  "binary-bad-empty",
  "binary-bad-one-byte",
  "binary-bad-sizes-too-big",
  "binary-bad-sizes-too-small",
  "binary-bad-kind-1-reply",
  "binary-bad-kind-2-broadcast",
  "binary-bad-kind-9",
  "binary-bad-json-as-binary",
  "binary-bad-topic-not-utf8",
  "binary-long-ref-server-encode",
  "p18-stale-join-ref-push",
  "p18-binary-empty-refs",
];

describe("recorded from real servers", () => {
  for (const scenario of ofOneRoom) {
    test(`X2 X4 X6 X7 X8 X10 ${scenario}`, async () => {
      const ana = await signIn();
      const topicOf = (topic) => (/^room:/.test(topic) ? `user:${ana.id}` : topic);
      await new Replay(() => ana.open(), topicOf).run(scenario);
    });
  }

  for (const scenario of ["join-rejected", "join-error-then-join-ok-same-refs-space"]) {
    test(`X2 ${scenario}`, async () => {
      const [ana, ben, cai] = [await signIn(), await signIn(), await signIn()];
      const theirs = await direct(ben, cai);
      const topicOf = (topic) => ({ "room:forbidden": theirs, "room:ok": `user:${ana.id}` })[topic] ?? topic;
      await new Replay(() => ana.open(), topicOf).run(scenario);
    });
  }

  for (const scenario of ["two-topics-same-join-ref", "max-channels"]) {
    test(`X2 ${scenario}`, async () => {
      const ana = await signIn();
      const rooms = new Map();
      for (const room of ["room:a", "room:b", "room:m1", "room:m2", "room:m3"]) {
        rooms.set(room, await direct(ana, await signIn()));
      }
      await new Replay(
        () => ana.open(),
        (topic) => rooms.get(topic) ?? topic,
      ).run(scenario);
    });
  }

  for (const scenario of ["presence-crash", "abrupt-client-then-reconnect-presence"]) {
    test(`X11 ${scenario}`, async () => {
      const [ana, ben] = [await signIn(), await signIn()];
      const conversation = await direct(ana, ben);
      const open = (conn) => (conn === "A" ? ana : ben).open();
      const topicOf = (topic) => (/^room:/.test(topic) ? conversation : topic);
      await new Replay(open, topicOf, { [ana.id]: "ann", [ben.id]: "bob" }).run(scenario);
    });
  }
});
