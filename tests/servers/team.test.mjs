// The team backend on the official Socket.IO server does what WIRES.md says, before chatwire is measured against it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { assertRefused, connected, open, rest, sealed } from "./client.mjs";
import { startTeamServer } from "./team.mjs";

const running = [];
afterEach(async () => {
  for (const thing of running.splice(0).reverse()) await thing.close();
});

async function setUp(options) {
  const server = await startTeamServer(options);
  running.push(server);
  const [ana, ben] = await Promise.all(
    ["ana", "ben"].map(async (name) => {
      const client = await connected(server.url, `user:${name}`);
      running.push(client);
      return { ...client, rest: rest(server.url, `user:${name}`) };
    }),
  );
  const created = await ana.rest("POST", "/api/conversations/direct", { user_id: "ben" });
  assert.equal(created.status, 201);
  return { server, ana, ben, id: created.body.conversation.id };
}

const message = (id, text, extra) => ({ conversationId: id, contentEncrypted: sealed(text), ...extra });

describe("auth", () => {
  for (const token of ["expired", "bad", "", undefined]) {
    test(`D6 CONNECT with token ${token} is refused with data.code AuthError`, async () => {
      const server = await startTeamServer();
      running.push(server);
      const client = open(server.url, token);
      running.push(client);
      const error = await client.next("connect_error");
      assert.equal(error.message, "invalid token");
      assert.deepEqual(error.data, { code: "AuthError" });
    });
  }

  test("D3 REST without a good token is 401 AuthError; a preflight needs none", async () => {
    const { server } = await setUp();
    assertRefused(await rest(server.url, "bad")("GET", "/api/conversations"), 401, "AuthError");
    const preflight = await fetch(`${server.url}/api/messages`, { method: "OPTIONS" });
    assert.equal(preflight.status, 204);
    assert.match(preflight.headers.get("access-control-allow-headers"), /authorization/);
  });

  test("a revoked token is refused, a fresh one of the same user is taken", async () => {
    const { server } = await setUp();
    server.faults.revoke("user:ana");
    const refused = open(server.url, "user:ana");
    running.push(refused);
    assert.equal((await refused.next("connect_error")).data.code, "AuthError");
    running.push(await connected(server.url, "user:ana#2"));
  });
});

describe("full", () => {
  test("D2 hello right after CONNECT declares the capabilities", async () => {
    const { ana } = await setUp({ maxPayload: 5_000 });
    const { capabilities, user } = await ana.next("chatwire:hello");
    assert.deepEqual(user, { id: "ana" });
    assert.deepEqual(capabilities, {
      keys: true,
      cursor: true,
      orderedWindow: false,
      receipts: true,
      maxPayload: 5_000,
    });
  });

  test("T3 T4 a send is answered and reaches every socket; its key only its sender's", async () => {
    const { ana, ben, id, server } = await setUp();
    const answer = await ana.ask("chat:message_send", message(id, "grüß dich", { clientMessageId: "k1" }));
    assert.equal(answer.success, true);
    assert.equal(answer.data.client_message_id, "k1");
    assert.equal(answer.data.seq, 1);
    const other = await ben.next("chat:message_received");
    assert.deepEqual(Object.keys(other).sort(), [
      "content_encrypted",
      "conversation_id",
      "created_at",
      "id",
      "message_type",
      "sender_id",
      "seq",
    ]);
    assert.equal(Buffer.from(other.content_encrypted, "base64").toString(), "grüß dich");
    assert.equal((await ana.next("chat:message_received")).client_message_id, "k1");
    assert.equal(server.log(id).length, 1);
  });

  test("D3 same key, same content: the first answer again; other content: ValidationError", async () => {
    const { ana, ben, id, server } = await setUp();
    const first = await ana.ask("chat:message_send", message(id, "one", { clientMessageId: "k1" }));
    const again = await ana.ask("chat:message_send", message(id, "one", { clientMessageId: "k1" }));
    assert.equal(again.duplicate, true);
    assert.equal(again.data.id, first.data.id);
    const other = await ana.ask("chat:message_send", message(id, "two", { clientMessageId: "k1" }));
    assert.equal(other.success, false);
    assert.equal(other.error.code, "ValidationError");
    assert.equal(other.error.field, "client_message_id");
    const benUsesIt = await ben.ask("chat:message_send", message(id, "mine", { clientMessageId: "k1" }));
    assert.equal(benUsesIt.duplicate, undefined, "keys are scoped by sender");
    assert.equal(server.log(id).length, 2);
  });

  test("D3 a server may answer a known key with a ConflictError that names it", async () => {
    const { ana, id } = await setUp({ duplicates: "conflict" });
    await ana.ask("chat:message_send", message(id, "one", { clientMessageId: "k1" }));
    const again = await ana.ask("chat:message_send", message(id, "one", { clientMessageId: "k1" }));
    assert.equal(again.error.code, "ConflictError");
    assert.equal(again.error.client_message_id, "k1");
  });

  test("T10 D4 pages count from the newest, oldest first; `after` gives seq > after", async () => {
    const { ana, id } = await setUp();
    for (let i = 1; i <= 5; i++) await ana.ask("chat:message_send", message(id, `m${i}`));
    const seqs = async (query) => {
      const { body } = await ana.rest("GET", `/api/messages/${id}?${query}`);
      return [body.messages.map((m) => m.seq), body.has_more];
    };
    assert.deepEqual(await seqs("limit=2&offset=0"), [[4, 5], true]);
    assert.deepEqual(await seqs("limit=2&offset=3"), [[1, 2], false]);
    assert.deepEqual(await seqs("after=2&limit=2"), [[3, 4], true]);
    assert.deepEqual(await seqs("after=5"), [[], false]);
    assertRefused(await ana.rest("GET", `/api/messages/${id}?limit=x`), 400, "ValidationError");
  });

  test("T11 T12 T13 REST sends, edits, marks, reacts and deletes; the others are told", async () => {
    const { ana, ben, id } = await setUp();
    const body = {
      conversation_id: id,
      content_encrypted: sealed("a"),
      message_type: "text",
      client_message_id: "r",
    };
    const sent = await ana.rest("POST", "/api/messages", body);
    assert.equal(sent.status, 201);
    const path = `/api/messages/${sent.body.message.id}`;
    assert.equal((await ana.rest("POST", "/api/messages", body)).body.duplicate, true);
    await ana.rest("PATCH", path, { content_encrypted: sealed("b") });
    assert.equal((await ben.next("chat:message_updated")).content_encrypted, sealed("b"));
    assertRefused(await ben.rest("PATCH", path, { content_encrypted: sealed("c") }), 403, "ForbiddenError");
    await ben.rest("POST", `${path}/status`, { status: "read" });
    assert.equal((await ana.next("chat:message_status_updated")).status, "read");
    await ben.rest("POST", `${path}/reactions`, { emoji: "👍" });
    assert.deepEqual(await ana.next("chat:reaction"), {
      messageId: sent.body.message.id,
      emoji: "👍",
      userId: "ben",
      op: "add",
    });
    await ben.rest("DELETE", `${path}/reactions/${encodeURIComponent("👍")}`);
    assert.equal((await ana.next("chat:reaction")).op, "remove");
    assert.equal((await ana.rest("DELETE", path)).status, 204);
    assert.deepEqual(await ben.next("chat:message_deleted"), { messageId: sent.body.message.id });
  });
});

describe("plain", () => {
  test("nothing that is ours: no hello, key, seq, `after`", async () => {
    const { ana, ben, id, server } = await setUp({ plain: true });
    const send = () => ana.ask("chat:message_send", message(id, "hi", { clientMessageId: "k1" }));
    const first = await send();
    const second = await send();
    assert.equal(second.duplicate, undefined);
    assert.notEqual(first.data.id, second.data.id, "keys are not kept");
    assert.equal(server.log(id).length, 2);
    const received = await ben.next("chat:message_received");
    assert.deepEqual(Object.keys(received).sort(), [
      "content_encrypted",
      "conversation_id",
      "created_at",
      "id",
      "message_type",
      "sender_id",
    ]);
    const { body } = await ana.rest("GET", `/api/messages/${id}?after=1`);
    assert.equal(body.messages.length, 2, "`after` is not known");
    assert.equal(
      ana.seen.some((e) => e.event === "chatwire:hello"),
      false,
    );
  });

  test("D3 an error in an ack is a plain string", async () => {
    const { ana } = await setUp({ plain: true });
    assert.deepEqual(await ana.ask("chat:message_send", message("nowhere", "hi")), {
      success: false,
      error: "conversation not found",
    });
  });
});

describe("people", () => {
  for (const plain of [false, true]) {
    test(`T4 typing goes to the others, ${plain ? "without" : "with"} its conversation`, async () => {
      const { ana, ben, id } = await setUp({ plain });
      ana.socket.emit("chat:typing", { conversationId: id, isTyping: true });
      const typing = await ben.next("chat:user_typing");
      assert.equal(typing.userId, "ana");
      assert.equal(typing.username, "ana");
      assert.equal(typing.isTyping, true);
      assert.equal(typing.conversationId, plain ? undefined : id);
    });
  }

  test("T2 T14 delivered, then read; never back; not by the sender", async () => {
    const { ana, ben, id, server } = await setUp();
    const { data } = await ana.ask("chat:message_send", message(id, "hi"));
    ana.socket.emit("chat:message_read", { messageId: data.id });
    ben.socket.emit("chat:message_delivered", { messageId: data.id });
    assert.equal((await ana.next("chat:message_status_updated")).status, "delivered");
    ben.socket.emit("chat:message_read", { messageId: data.id });
    assert.equal((await ana.next("chat:message_status_updated")).status, "read");
    ben.socket.emit("chat:message_delivered", { messageId: data.id });
    await ben.ask("chat:message_send", message(id, "after the late mark"));
    assert.equal(server.log(id)[0].status, "read");
  });

  test("T2 T4 presence on request, offline with the last socket", async () => {
    const { ana, ben } = await setUp();
    ben.socket.emit("presence:online", {});
    assert.equal((await ana.next("user:status_changed")).status, "online");
    ben.close();
    const offline = await ana.next("user:status_changed");
    assert.deepEqual([offline.userId, offline.status], ["ben", "offline"]);
  });

  test("T6 T15 direct: ConflictError when it exists; T7 T8 T9 groups and roles", async () => {
    const { ana, ben, id, server } = await setUp();
    const again = await ben.rest("POST", "/api/conversations/direct", { user_id: "ana" });
    assertRefused(again, 409, "ConflictError");
    assertRefused(await ana.rest("POST", "/api/conversations/group", { title: "" }), 400, "ValidationError");
    const group = { title: "Team", participant_ids: ["ben"] };
    const { body } = await ana.rest("POST", "/api/conversations/group", group);
    const path = `/api/conversations/${body.conversation.id}`;
    assert.equal(
      (await ben.next("chat:conversation_updated", (p) => p.conversation.title === "Team")).conversation.id,
      body.conversation.id,
    );
    assertRefused(await ben.rest("POST", `${path}/participants`, { user_id: "cai" }), 403, "ForbiddenError");
    assertRefused(await rest(server.url, "user:cai")("GET", path), 403, "ForbiddenError");
    assert.equal((await ana.rest("POST", `${path}/participants`, { user_id: "cai" })).status, 201);
    assert.equal((await rest(server.url, "user:cai")("GET", path)).status, 200);
    assert.equal((await ana.rest("DELETE", `${path}/participants/cai`)).status, 200);
    assertRefused(await rest(server.url, "user:cai")("GET", path), 403, "ForbiddenError");
    const list = await ben.rest("GET", "/api/conversations");
    assert.deepEqual(list.body.conversations.map((c) => c.type).sort(), ["direct", "group"]);
    assert.equal(list.body.has_more, false);
    assertRefused(await ana.rest("GET", "/api/conversations/none"), 404, "NotFoundError");
    assert.equal(
      list.body.conversations.some((c) => c.id === id),
      true,
    );
  });
});

describe("faults", () => {
  test("refuseNext: answered with the error, not stored", async () => {
    const { ana, id, server } = await setUp();
    server.faults.refuseNext(1, "RateLimited");
    const refused = await ana.ask("chat:message_send", message(id, "1"));
    assert.equal(refused.error.code, "RateLimited");
    assert.equal((await ana.ask("chat:message_send", message(id, "2"))).success, true);
    assert.equal(server.log(id).length, 1);
  });

  test("loseAck: stored and broadcast, never answered", async () => {
    const { ana, ben, id, server } = await setUp();
    server.faults.loseAck();
    let answered = false;
    ana.socket.emit("chat:message_send", message(id, "1"), () => {
      answered = true;
    });
    await ben.next("chat:message_received");
    assert.equal((await ana.ask("chat:message_send", message(id, "2"))).success, true);
    assert.equal(answered, false);
    assert.equal(server.log(id).length, 2);
  });

  test("withholdAck: answers wait and come in order", async () => {
    const { ana, ben, id, server } = await setUp();
    server.faults.withholdAck();
    const answers = [];
    const both = Promise.all(
      ["1", "2"].map(async (text) => {
        const { data } = await ana.ask("chat:message_send", message(id, text));
        answers.push(data.seq);
      }),
    );
    await ben.next("chat:message_received");
    await ben.next("chat:message_received");
    assert.equal(server.faults.held, 2);
    assert.deepEqual(answers, []);
    assert.equal(server.faults.releaseAcks(), 2);
    await both;
    assert.deepEqual(answers, [1, 2]);
  });

  test("dropBeforeStore and dropAfterStore cut the socket, with nothing or something stored", async () => {
    for (const [fault, stored] of [
      ["dropBeforeStore", 0],
      ["dropAfterStore", 1],
    ]) {
      const { ana, id, server } = await setUp();
      server.faults[fault]();
      ana.socket.emit("chat:message_send", message(id, "1"));
      assert.equal(await ana.next("disconnect"), "transport close");
      assert.equal(server.log(id).length, stored, fault);
    }
  });

  test("dropSockets and refuseConnect, over HTTP as the command line offers them", async () => {
    const { ana, ben, server } = await setUp();
    const fault = (name, ...args) => rest(server.url, "")("POST", "/test/faults", { fault: name, args });
    await fault("refuseConnect", 1, "ServerError", "busy");
    assert.equal((await fault("dropSockets", "ana")).body.result, 1);
    await ana.next("disconnect");
    assert.equal(ben.socket.connected, true);
    ana.socket.connect();
    assert.equal((await ana.next("connect_error")).message, "busy");
    ana.socket.connect();
    await ana.next("connect");
    assertRefused(await fault("explode"), 400, "ValidationError");
  });

  test("restart: the same port and state, all sockets cut", async () => {
    const { ana, ben, id, server } = await setUp();
    await ana.ask("chat:message_send", message(id, "1"));
    await server.restart();
    await Promise.all([ana.next("disconnect"), ben.next("disconnect")]);
    ana.socket.connect();
    await ana.next("connect");
    assert.equal((await ana.rest("GET", `/api/messages/${id}`)).body.messages.length, 1);
  });
});

test("D1 the path of the base URL is a prefix", async () => {
  const server = await startTeamServer({ prefix: "/team" });
  running.push(server, await connected(server.url, "user:ana"));
  assert.equal(new URL(server.url).pathname, "/team");
  assert.equal((await rest(server.url, "user:ana")("GET", "/api/conversations")).status, 200);
});

test("the command line prints its ready line and ends on SIGTERM", async () => {
  const child = spawn(process.execPath, [fileURLToPath(new URL("./team.mjs", import.meta.url)), "--plain"]);
  const [line] = await once(child.stdout.setEncoding("utf8"), "data");
  const url = /^team server listening on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(line)?.[1];
  assert.ok(url, line);
  assert.equal((await rest(url, "user:ana")("GET", "/api/conversations")).status, 200);
  child.kill("SIGTERM");
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
});
