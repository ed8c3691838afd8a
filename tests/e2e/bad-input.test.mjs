// What is wrong is refused by name, and what a server gets wrong is an event: neither ends the client.
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, afterEach, before, describe, test } from "node:test";
import { swift } from "./lib/client.mjs";
import { HostileServer } from "./lib/hostile.mjs";
import { Stage } from "./lib/stage.mjs";

let stage;
before(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.leave());
after(() => stage?.close());

describe("createChat refuses", () => {
  const good = { url: "http://127.0.0.1:9", profile: "team", userId: "ana", token: "t" };
  const cases = [
    ["a javascript: URL", { url: "javascript:alert(1)" }, /url/],
    ["a URL of another scheme", { url: "ftp://127.0.0.1/" }, /url/],
    ["no URL", { url: "" }, /url/],
    ["a plain URL that is not local", { url: "http://chat.example.com" }, /url/],
    ["a URL with a password", { url: "https://ana:secret@chat.example.com" }, /url/],
    ["an unknown profile", { profile: "irc" }, /profile/],
    ["an empty user", { userId: "" }, /userId/],
    ["no token", { token: undefined }, /getToken/],
    ["an empty token", { token: "" }, /token/],
    ["an option that does not exist", { colour: "red" }, /colour/],
    ["a number that is too small", { outbox: { ackTimeoutMs: 1 } }, /ackTimeoutMs/],
    ["a text for a number", { outbox: { window: "8" } }, /window/],
    ["a path for the wasm that is none", { wasm: "/nothing.wasm" }, /nothing\.wasm/],
  ];
  for (const [name, wrong, message] of cases) {
    test(name, async () => {
      const page = await stage.blank();
      const { error } = await page.evaluate((options) => harness.create(options), { ...good, ...wrong });
      assert.equal(error?.name, "ChatError");
      assert.equal(error.code, "config");
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /secret/);
    });
  }
});

describe("send refuses", () => {
  let ana;
  let id;
  before(async () => {
    const login = { origin: stage.server.origin, name: "ana", id: await stage.idOf("ana") };
    ana = await stage.client(swift(stage.server.url, login, { outbox: { maxQueued: 3 } }));
    await ana.connect();
    ({ id } = await ana.call("createDirect", await stage.idOf("ben")));
  });
  const refused = async (code, ...args) => {
    await assert.rejects(ana.call("send", ...args), { name: "ChatError", code });
  };

  test("what is no message, and the client lives", async () => {
    await refused("validation", id, "");
    await refused("validation", id, " \n\t ");
    await refused("tooLarge", id, "x".repeat(10_001));
    await refused("notFound", "no-such-conversation", "hello");
    await refused("validation", "", "hello");
    await refused("validation", id, 42);
    await refused("validation", id, null);
    await refused("validation", id, { text: "a", replyTo: 7 });
    await refused("validation", id, "hello", { ttlMs: -1 });
    await refused("validation", id, "hello", { key: "" });
    await refused("tooLarge", id, { text: "a", metadata: "m".repeat(70_000) });
    await assert.rejects(ana.call("acknowledged", "no-such-key"), { code: "notFound" });
    await assert.rejects(ana.call("cancel", "no-such-key"), { code: "notFound" });

    const { key } = await ana.send(id, "x".repeat(10_000));
    await ana.call("acknowledged", key);
    // One key belongs to one message for ever.
    await refused("conflict", id, "other words", { key });
    assert.equal((await stage.server.log(id)).length, 1);

    // The queue has a limit, and what is over it is told rather than dropped.
    await ana.call("disconnect");
    for (const text of ["one", "two", "three"]) await ana.send(id, text);
    await refused("outboxFull", id, "four");
    await ana.connect();
    await ana.untilFlushed([id]);
    assert.deepEqual(
      (await stage.server.log(id)).slice(1).map(({ text }) => text),
      ["one", "two", "three"],
    );
  });
});

const event = (...args) => `42${JSON.stringify(args)}`;
const garbage = [
  "",
  "x",
  "9",
  "4",
  "49",
  "42",
  "42[",
  "42{}",
  "42[]",
  '42["connect"]',
  "42[null]",
  '42"text"',
  "430[]",
  "4399999999999999999999[]",
  "43-1[]",
  '45x-["a"]',
  '4599999999-["a"]',
  "42/,[",
  `42${"[".repeat(20_000)}`,
  event("chat:message_received"),
  event("chat:message_received", null),
  event("chat:message_received", 7),
  event("chat:message_received", { id: {}, conversation_id: [], content_encrypted: 5 }),
  event("chat:message_received", {
    id: "1",
    sender_id: "ben",
    conversation_id: "c",
    content_encrypted: "%%%",
    created_at: "never",
    message_type: "text",
  }),
  event("chat:message_status_updated", { messageId: null, status: "eaten" }),
  event("chat:user_typing", { userId: 1, isTyping: "yes" }),
  event("user:status_changed", []),
  event("chat:conversation_updated", { conversation: { id: "__proto__", participants: {} } }),
  event("chatwire:hello", { capabilities: { maxPayload: -1, keys: "maybe" } }),
  event("__proto__", { constructor: 1 }),
];

describe("a hostile server", () => {
  const login = { id: "ana", prefix: "user:ana" };

  test("garbage is a protocolError, and the client lives", { timeout: 60_000 }, async (t) => {
    const rest = [...garbage];
    let finish;
    const finished = new Promise((resolve) => {
      finish = resolve;
    });
    // One piece a connection, and a ping behind it: it is taken when that is answered, or the client has left for it.
    const hostile = await HostileServer.open(async (socket) => {
      if (rest.length === 0) return finish();
      const [piece] = rest.splice(0, 1);
      const answered = new Promise((resolve) => {
        socket.on("message", (data) => String(data) === "3" && resolve());
      });
      const taken = Promise.race([answered, once(socket, "close")]);
      socket.send(piece);
      socket.send("2");
      await taken;
      socket.terminate();
    });
    t.after(() => hostile.close());
    const ana = await stage.client(
      swift(hostile.url, login, { reconnect: { baseDelayMs: 1, maxDelayMs: 5, maxAttempts: null } }),
    );
    await ana.connect();
    await finished;
    await ana.untilState("online");
    assert.equal(hostile.connections, garbage.length + 1);
    const errors = await ana.events("protocolError");
    assert.ok(errors.length >= 15, `${errors.length} protocol errors of ${garbage.length} pieces`);
    for (const [{ message, excerpt }] of errors) {
      assert.notEqual(message, "");
      assert.ok(excerpt.length < 500, "an excerpt, not the whole");
    }
    assert.deepEqual(await ana.call("outbox"), []);
  });

  test("silence ends a connection after ackTimeoutMs (D10), and a message after three losses (D11)", async (t) => {
    // It keeps what it is sent and answers nothing.
    const hostile = await HostileServer.open((socket) => {
      const conversation = {
        id: "c1",
        type: "direct",
        title: null,
        created_at: new Date().toISOString(),
        participants: ["ana", "ben"].map((user_id) => ({ user_id, username: user_id, role: "member" })),
      };
      socket.send(event("chat:conversation_updated", { conversation }));
    });
    t.after(() => hostile.close());
    const ana = await stage.client(swift(hostile.url, login, { outbox: { ackTimeoutMs: 300 } }));
    await ana.connect();
    await ana.untilConversation("c1");
    const { key } = await ana.send("c1", "is anybody there?");
    await assert.rejects(ana.call("acknowledged", key), { code: "poison" });
    const sends = hostile.frames.filter((frame) => frame.includes("chat:message_send"));
    assert.equal(sends.length, 3);
    for (const frame of sends) assert.ok(frame.includes(key), "sent again under its key");
    assert.ok(hostile.connections >= 3);
  });
});
