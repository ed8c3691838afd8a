// Our own backend under the official Socket.IO client: what it says on the wire is what others understand.
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { assertRefused, connected, open, rest, sealed } from "./client.mjs";
import { startReference } from "./reference.mjs";

const running = [];
afterEach(async () => {
  for (const thing of running.splice(0).reverse()) await thing.close();
});

async function serve(args) {
  const server = await startReference(args);
  running.push(server);
  return server;
}

async function signIn(server, name) {
  const { token, user } = await server.login(name);
  const client = await connected(server.url, token);
  running.push(client);
  return { ...client, token, id: user.id, rest: rest(server.url, token) };
}

async function setUp(args) {
  const server = await serve(args);
  const ana = await signIn(server, "ana");
  const ben = await signIn(server, "ben");
  const created = await ana.rest("POST", "/api/conversations/direct", { user_id: ben.id });
  assert.equal(created.status, 201, JSON.stringify(created.body));
  const { conversations } = (await ana.rest("GET", "/api/conversations")).body;
  assert.equal(conversations.length, 1);
  return { server, ana, ben, id: conversations[0].id };
}

const message = (id, text, key) => ({
  conversationId: id,
  contentEncrypted: sealed(text),
  ...(key && { clientMessageId: key }),
});

async function history(person, id, query = "limit=50&offset=0") {
  const { status, body } = await person.rest("GET", `/api/messages/${id}?${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** D6: by `data.code` or by the message. */
function assertAuthRefusal({ message, data }) {
  const isTold =
    /^(AuthError|auth_failed)$/.test(data?.code) || /unauthori[sz]ed|invalid token|jwt|auth/i.test(message);
  assert.ok(isTold, `${message} ${JSON.stringify(data)}`);
}

const texts = (page) => page.messages.map((m) => Buffer.from(m.content_encrypted, "base64").toString("utf8"));

describe("connecting", () => {
  for (const token of ["bad", "", undefined]) {
    test(`D6 CONNECT with token ${token} is refused, and the refusal can be told from others`, async () => {
      const server = await serve();
      const client = open(server.url, token);
      running.push(client);
      assertAuthRefusal(await client.next("connect_error"));
    });
  }

  test("D5 D6 tokens that have expired are refused, a fresh login is taken", async () => {
    const { server, ana } = await setUp();
    await server.fault({ fault: "expire_tokens" });
    await ana.next("disconnect");
    ana.socket.connect();
    assertAuthRefusal(await ana.next("connect_error"));
    assertRefused(await ana.rest("GET", "/api/conversations"), 401, "AuthError");
    await signIn(server, "ana");
  });

  test("D2 hello right after CONNECT", async () => {
    const { ana } = await setUp();
    const { capabilities } = await ana.next("chatwire:hello");
    assert.equal(capabilities.keys, true);
    assert.equal(capabilities.cursor, true);
    assert.equal(typeof capabilities.orderedWindow, "boolean");
    assert.ok(capabilities.receipts);
    assert.ok(capabilities.maxPayload > 0);
  });

  test("E1 E2 the connection survives its own heartbeats", async () => {
    const server = await serve(["--ping-interval-ms", "50", "--ping-timeout-ms", "1000"]);
    const ana = await signIn(server, "ana");
    let pings = 0;
    await new Promise((resolve) => ana.socket.io.on("ping", () => ++pings === 3 && resolve()));
    assert.equal(ana.socket.connected, true);
  });
});

describe("messages", () => {
  test("T3 T4 T5 a send is answered and reaches both people", async () => {
    const { ana, ben, id } = await setUp();
    const answer = await ana.ask("chat:message_send", message(id, "grüß dich 👋", "key-1"));
    assert.equal(answer.success, true, JSON.stringify(answer));
    assert.equal(answer.data.client_message_id, "key-1");
    assert.equal(answer.data.seq, 1);
    const received = await ben.next("chat:message_received");
    assert.equal(received.id, answer.data.id);
    assert.equal(received.sender_id, ana.id);
    assert.equal(received.conversation_id, id);
    assert.equal(received.message_type, "text");
    assert.equal(received.client_message_id ?? null, null, "the key is its sender's alone");
    assert.equal(Buffer.from(received.content_encrypted, "base64").toString("utf8"), "grüß dich 👋");
    assert.ok(Math.abs(Date.parse(received.created_at) - Date.now()) < 60_000, received.created_at);
  });

  test("T4 the sender's other socket gets the message with its key", async () => {
    const { server, ana, id } = await setUp();
    const second = await signIn(server, "ana");
    await ana.ask("chat:message_send", message(id, "one", "key-1"));
    assert.equal((await second.next("chat:message_received")).client_message_id, "key-1");
  });

  test("D3 same key, same content: the first answer again; other content: ValidationError", async () => {
    const { ana, ben, id } = await setUp();
    const first = await ana.ask("chat:message_send", message(id, "one", "key-1"));
    const again = await ana.ask("chat:message_send", message(id, "one", "key-1"));
    assert.equal(again.success, true);
    assert.equal(again.duplicate, true);
    assert.equal(again.data.id, first.data.id);
    const other = await ana.ask("chat:message_send", message(id, "two", "key-1"));
    assert.equal(other.success, false);
    assert.equal(other.error.code, "ValidationError");
    assert.equal(other.error.field, "client_message_id");
    const bens = await ben.ask("chat:message_send", message(id, "mine", "key-1"));
    assert.equal(bens.success, true);
    assert.notEqual(bens.data.id, first.data.id, "keys are scoped by sender");
    assert.deepEqual(texts(await history(ana, id)), ["one", "mine"]);
  });

  test("T15 refusals: not a participant, no such conversation, not base64", async () => {
    const { server, ana, id } = await setUp();
    const cai = await signIn(server, "cai");
    assert.equal((await cai.ask("chat:message_send", message(id, "hi"))).error.code, "ForbiddenError");
    assert.equal((await ana.ask("chat:message_send", message("none", "hi"))).error.code, "NotFoundError");
    const bad = await ana.ask("chat:message_send", { conversationId: id, contentEncrypted: "*" });
    assert.equal(bad.error.code, "ValidationError");
    assertRefused(await cai.rest("GET", `/api/messages/${id}`), 403, "ForbiddenError");
  });

  test("T10 D4 pages count from the newest, oldest first; `after` gives seq > after", async () => {
    const { ana, id } = await setUp();
    for (const text of ["1", "2", "3", "4", "5"]) await ana.ask("chat:message_send", message(id, text));
    const page = async (query) => {
      const body = await history(ana, id, query);
      return [texts(body).join(""), body.has_more];
    };
    assert.deepEqual(await page("limit=2&offset=0"), ["45", true]);
    assert.deepEqual(await page("limit=2&offset=3"), ["12", false]);
    assert.deepEqual(await page("after=2&limit=2"), ["34", true]);
    assert.deepEqual(await page("after=5"), ["", false]);
  });

  test("T11 REST sends the same messages under the same keys", async () => {
    const { ana, ben, id } = await setUp();
    const body = {
      conversation_id: id,
      content_encrypted: sealed("by REST"),
      message_type: "text",
      client_message_id: "key-1",
    };
    assert.equal((await ana.rest("POST", "/api/messages", body)).status, 201);
    assert.equal((await ben.next("chat:message_received")).content_encrypted, body.content_encrypted);
    const again = await ana.ask("chat:message_send", message(id, "by REST", "key-1"));
    assert.equal(again.duplicate, true);
    assert.equal((await history(ana, id)).messages.length, 1);
  });
});

describe("people", () => {
  test("T4 typing reaches the other with its conversation", async () => {
    const { ana, ben, id } = await setUp();
    ana.socket.emit("chat:typing", { conversationId: id, isTyping: true });
    const typing = await ben.next("chat:user_typing");
    assert.equal(typing.userId, ana.id);
    assert.equal(typing.username, "ana");
    assert.equal(typing.isTyping, true);
    assert.equal(typing.conversationId, id);
  });

  test("T2 T14 delivered, then read, reach the sender", async () => {
    const { ana, ben, id } = await setUp();
    const { data } = await ana.ask("chat:message_send", message(id, "hi"));
    for (const status of ["delivered", "read"]) {
      ben.socket.emit(`chat:message_${status}`, { messageId: data.id });
      const told = await ana.next("chat:message_status_updated");
      assert.equal(told.messageId, data.id);
      assert.equal(told.status, status);
    }
    assert.equal((await history(ana, id)).messages[0].status, "read");
  });

  test("T2 T4 presence: online on request, offline when the last socket is gone", async () => {
    const { ana, ben } = await setUp();
    ben.socket.emit("presence:online", {});
    const isBen = (status) => (p) => p.userId === ben.id && p.status === status;
    await ana.next("user:status_changed", isBen("online"));
    ben.close();
    await ana.next("user:status_changed", isBen("offline"));
  });

  test("T6 a direct conversation that exists is a ConflictError", async () => {
    const { ana, ben } = await setUp();
    const again = await ben.rest("POST", "/api/conversations/direct", { user_id: ana.id });
    assertRefused(again, 409, "ConflictError");
  });
});

describe("trouble", () => {
  test("an answer that is lost after storing: the same key again finds the message", async () => {
    const { server, ana, id } = await setUp();
    await server.fault({ fault: "lose_ack" });
    ana.socket.emit("chat:message_send", message(id, "once", "key-1"));
    await ana.next("disconnect");
    ana.socket.connect();
    await ana.next("connect");
    const again = await ana.ask("chat:message_send", message(id, "once", "key-1"));
    assert.equal(again.duplicate, true);
    assert.deepEqual(texts(await history(ana, id)), ["once"]);
  });

  test("killed and started again: messages, keys, order and tokens are still good", async () => {
    const { server, ana, id } = await setUp();
    for (const text of ["1", "2", "3"]) {
      assert.equal((await ana.ask("chat:message_send", message(id, text, `key-${text}`))).success, true);
    }
    await server.restart();
    await ana.next("disconnect");
    ana.socket.connect();
    await ana.next("connect");
    assert.equal((await ana.ask("chat:message_send", message(id, "3", "key-3"))).duplicate, true);
    assert.equal((await ana.ask("chat:message_send", message(id, "4", "key-4"))).data.seq, 4);
    assert.deepEqual(texts(await history(ana, id)), ["1", "2", "3", "4"]);
  });

  for (const [fault, stored] of [
    ["crash_before_store", 0],
    ["crash_after_store", 1],
  ]) {
    test(`${fault}: ${stored} stored, and the retry stores it once`, async () => {
      const { server, ana, id } = await setUp();
      await server.fault({ fault });
      ana.socket.emit("chat:message_send", message(id, "once", "key-1"));
      await server.ended();
      await server.restart();
      assert.equal((await history(ana, id)).messages.length, stored);
      ana.socket.connect();
      await ana.next("connect");
      const again = await ana.ask("chat:message_send", message(id, "once", "key-1"));
      assert.equal(again.success, true);
      assert.deepEqual(texts(await history(ana, id)), ["once"]);
    });
  }

  test("SIGTERM ends it with code 0 and tells the clients", async () => {
    const { server, ana } = await setUp();
    running.splice(running.indexOf(server), 1);
    const [code] = await Promise.all([server.close(), ana.next("disconnect")]);
    assert.equal(code, 0);
  });
});
