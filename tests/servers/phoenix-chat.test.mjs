// The vocabulary of our Phoenix endpoint (P6 to P9, D7), its REST, its limits and faults, and what crosses to `team`.
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { assertRefused, connected, rest, sealed } from "./client.mjs";
import { setUpWire, socketUrl, subprotocols, upgradeStatus } from "./phoenix.mjs";

const running = [];
afterEach(async () => {
  for (const thing of running.splice(0).reverse()) await thing.close();
});

const setUp = (args) => setUpWire(running, args);
const contents = (messages) => messages.map((message) => message.content);

describe("sending", () => {
  test("D3 same key, same content: the first answer again; other content: ValidationError", async () => {
    const { ana, ben, joined } = await setUp();
    const [socket, bens] = [await joined(ana), await joined(ben)];
    const first = await socket.ask("message:send", { client_id: "k", content: "one" });
    const again = await (await joined(ana)).ask("message:send", { client_id: "k", content: "one" });
    assert.equal(again.response.duplicate, true);
    assert.deepEqual(again.response.message, first.response.message);
    const other = await socket.ask("message:send", { client_id: "k", content: "two" });
    assert.equal(other.status, "error");
    assert.deepEqual(
      [other.response.code, other.response.field],
      ["ValidationError", "client_id"],
      "in the words of this wire",
    );
    const mine = await bens.ask("message:send", { client_id: "k", content: "mine" });
    assert.equal(mine.response.message.seq, 2, "keys are scoped by sender");
  });

  test("the own socket hears no message:new, the sender's other one does, with the key", async () => {
    const { ana, ben, joined } = await setUp();
    const [socket, second, bens] = [await joined(ana), await joined(ana), await joined(ben)];
    await socket.ask("message:send", { client_id: "k", content: "x" });
    assert.equal((await second.event("message:new")).client_id, "k");
    assert.equal((await bens.event("message:new")).client_id, undefined);
    const events = (await socket.settle()).map(([, , , event]) => event);
    assert.deepEqual(
      events.filter((event) => event !== "presence_diff"),
      [],
    );
  });

  test("the own change is broadcast before its reply", async () => {
    const { ana, topic, joined } = await setUp();
    const socket = await joined(ana);
    const { message } = (await socket.ask("message:send", { content: "x" })).response;
    socket.send("1", "9", topic, "message:update", { id: message.id, content: "y" });
    assert.deepEqual((await socket.next()).slice(0, 4), [null, null, topic, "message:update"]);
    assert.equal((await socket.next())[4].response.message.content, "y");
  });

  test("T15 refusals name code and field; a payload that is no object too", async () => {
    const { signIn, ana, ben, topic, joined } = await setUp(["--max-text", "10"]);
    const [socket, bens] = [await joined(ana), await joined(ben)];
    const { message } = (await socket.ask("message:send", { content: "x" })).response;
    const refused = async (person, event, payload) => {
      const { status, response } = await person.ask(event, payload);
      assert.equal(status, "error", JSON.stringify(response));
      return [response.code, response.field];
    };
    assert.deepEqual(await refused(socket, "message:send", { content: "12345678901" }), [
      "TooLarge",
      "content",
    ]);
    assert.deepEqual(await refused(socket, "message:send", []), ["ValidationError", "payload"]);
    assert.deepEqual(await refused(socket, "message:send", { content: "x", reply_to: "m" }), [
      "ValidationError",
      "reply_to",
    ]);
    const edit = { id: message.id, content: "mine" };
    assert.deepEqual(await refused(bens, "message:update", edit), ["ForbiddenError", undefined]);
    assert.deepEqual(await refused(socket, "message:delete", { id: "m" }), ["NotFoundError", undefined]);
    const body = { kind: "direct", user_id: (await signIn("cai")).id };
    const elsewhere = `conversation:${(await ana.rest("POST", "/api/conversations", body)).body.conversation.id}`;
    await socket.join("2", elsewhere);
    const wrong = await socket.push("2", "here", elsewhere, "message:delete", { id: message.id });
    assert.equal(wrong.response.code, "NotFoundError", "a message of another topic");
    assert.deepEqual(await refused(socket, "message:read", { up_to: "m" }), ["NotFoundError", undefined]);
    assert.deepEqual(await refused(socket, "typing", {}), ["ValidationError", "is_typing"]);
    bens.sendBinary("1", "77", topic, "message:send", [7]);
    const { status, response } = await bens.reply("77");
    assert.equal(status, "error");
    assert.equal(JSON.parse(response).field, "payload");
  });

  test("D2 orderedWindow: what is in flight is stored and told in the order of its sending", async () => {
    const { ana, ben, topic, joined } = await setUp();
    const listener = await joined(ben);
    const senders = await Promise.all([ana, ana, ben, ben].map(joined));
    const refs = Array.from({ length: 50 }, (_, n) => `s${n}`);
    for (const ref of refs) {
      for (const socket of senders) socket.send("1", ref, topic, "message:send", { content: ref });
    }
    for (const socket of senders) {
      let last = 0;
      for (const ref of refs) {
        const { response } = await socket.reply(ref);
        assert.ok(response.message.seq > last, `${response.message.seq} after ${last}`);
        last = response.message.seq;
      }
    }
    for (let seq = 1; seq <= 200; seq++) assert.equal((await listener.event("message:new")).seq, seq);
  });

  test("D2 orderedWindow: nothing overtakes a send that failed for now; limits name the wait", async () => {
    const { ana, topic, joined } = await setUp(["--rate-per-s", "1", "--rate-burst", "6"]);
    const socket = await joined(ana);
    const refs = Array.from({ length: 20 }, (_, n) => `s${n}`);
    for (const ref of refs) socket.send("1", ref, topic, "message:send", { client_id: ref, content: "x" });
    const answers = [];
    for (const ref of refs) answers.push(await socket.reply(ref));
    const stored = answers.findIndex(({ status }) => status === "error");
    assert.ok(stored >= 4 && stored < 20, String(stored));
    assert.equal(answers[stored].response.code, "RateLimited");
    assert.ok(answers[stored].response.retry_after_ms > 0);
    for (const { response } of answers.slice(stored + 1)) assert.equal(response.code, "ServerError");
  });
});

describe("REST", () => {
  test("P9 sync by cursor, oldest first, to the end; earlier pages by `before`", async () => {
    const { ana, ben, id, joined } = await setUp();
    const socket = await joined(ana);
    for (const content of ["1", "2", "3", "4", "5"])
      await socket.ask("message:send", { client_id: content, content });
    const pages = [];
    let cursor;
    for (let more = true; more; ) {
      const at = cursor === undefined ? "" : `&cursor=${cursor}`;
      const { status, body } = await ben.rest("GET", `/api/sync?conversation_id=${id}&limit=2${at}`);
      assert.equal(status, 200, JSON.stringify(body));
      pages.push(contents(body.messages).join(""));
      ({ cursor, has_more: more } = body);
    }
    assert.deepEqual(pages, ["12", "34", "5"]);
    assert.match(cursor, /^c_/, "visibly no number");
    const end = await ben.rest("GET", `/api/sync?conversation_id=${id}&cursor=${cursor}`);
    assert.deepEqual(end.body, { messages: [], cursor, has_more: false });
    const own = await ana.rest("GET", `/api/sync?conversation_id=${id}&limit=1`);
    assert.equal(own.body.messages[0].client_id, "1", "keys come to their sender");
    assert.equal((await (await ana.open()).join("1", `conversation:${id}`)).response.cursor, cursor);

    const earlier = async (query) => {
      const { body } = await ben.rest("GET", `/api/messages?conversation_id=${id}&limit=2${query}`);
      return [contents(body.messages).join(""), body.has_more];
    };
    assert.deepEqual(await earlier(""), ["45", true]);
    assert.deepEqual(await earlier("&before=4"), ["23", true]);
    assert.deepEqual(await earlier("&before=c_3"), ["12", false]);
    assert.deepEqual(await earlier(`&before=${own.body.messages[0].id}`), ["", false]);
  });

  test("conversations, their members and what is unread; a direct one is made once", async () => {
    const { ana, ben, id, joined } = await setUp();
    const socket = await joined(ana);
    await socket.ask("message:send", { content: "x" });
    const { conversations, has_more } = (await ben.rest("GET", "/api/conversations")).body;
    assert.equal(has_more, false);
    const [{ members, last_message, inserted_at, updated_at, ...rest }] = conversations;
    assert.deepEqual(rest, {
      id,
      kind: "direct",
      title: null,
      last_seq: 1,
      last_read_seq: 0,
      unread_count: 1,
      cursor: "c_1",
    });
    const people = members.map(({ id, name, role, online }) => [id, name, role, online]);
    assert.deepEqual(
      people.sort(),
      [
        [ana.id, "ana", "member", true],
        [ben.id, "ben", "member", false],
      ].sort(),
    );
    assert.equal(last_message.content, "x");
    assert.ok(Date.parse(updated_at) >= Date.parse(inserted_at));
    const again = await ben.rest("POST", "/api/conversations", { kind: "direct", user_id: ana.id });
    assert.deepEqual([again.status, again.body.conversation.id], [200, id]);
    assert.equal((await ben.rest("GET", `/api/conversations/${id}`)).body.conversation.id, id);
  });

  test("P6 user:{id} hears of new conversations and of changed ones", async () => {
    const { server, signIn, ana, ben } = await setUp();
    const cai = await signIn("cai");
    const [bens, cais] = [await ben.open(), await cai.open()];
    await bens.join("1", `user:${ben.id}`);
    await cais.join("1", `user:${cai.id}`);
    const group = { kind: "group", title: "Club", participant_ids: [ben.id] };
    const made = await ana.rest("POST", "/api/conversations", group);
    assert.deepEqual([made.status, made.body.conversation.kind], [201, "group"]);
    const { conversation } = await bens.event("conversation:new");
    assert.deepEqual([conversation.id, conversation.title], [made.body.conversation.id, "Club"]);
    const add = { user_id: cai.id };
    const path = `/api/conversations/${conversation.id}/participants`;
    assert.equal((await rest(server.url, ana.token)("POST", path, add)).status, 200);
    assert.equal((await bens.event("conversation:update")).conversation.members.length, 3);
    assert.equal((await cais.event("conversation:new")).conversation.id, conversation.id);
  });

  test("D3 refusals, and CORS as on the other wire", async () => {
    const { server, signIn, ana, id } = await setUp();
    const cai = await signIn("cai");
    assertRefused(await cai.rest("GET", `/api/sync?conversation_id=${id}`), 403, "ForbiddenError");
    assertRefused(
      await cai.rest("GET", `/api/messages?conversation_id=${id}&before=m`),
      403,
      "ForbiddenError",
    );
    assertRefused(await ana.rest("GET", "/api/sync?conversation_id=none"), 404, "NotFoundError");
    const bad = await ana.rest("GET", `/api/sync?conversation_id=${id}&cursor=7`);
    assertRefused(bad, 400, "ValidationError");
    assert.equal(bad.body.error.field, "cursor");
    assertRefused(await ana.rest("GET", "/api/sync"), 400, "ValidationError");
    assertRefused(await ana.rest("POST", "/api/conversations", { kind: "x" }), 400, "ValidationError");
    const empty = { kind: "group", title: " ", participant_ids: [cai.id] };
    assertRefused(await ana.rest("POST", "/api/conversations", empty), 400, "ValidationError");
    assertRefused(await rest(server.phoenix, "bad")("GET", "/api/conversations"), 401, "AuthError");
    const headers = { origin: "http://localhost:5173", "access-control-request-method": "GET" };
    const preflight = await fetch(`${server.phoenix}/api/sync`, { method: "OPTIONS", headers });
    assert.equal(preflight.headers.get("access-control-allow-origin"), headers.origin);
    assert.match(preflight.headers.get("access-control-allow-headers"), /authorization/);
  });
});

describe("beside team", () => {
  async function both() {
    const world = await setUp();
    const { server, ana, ben, joined } = world;
    const team = await connected(server.url, ben.token);
    running.push(team);
    return { ...world, socket: await joined(ana), team, teamRest: rest(server.url, ben.token) };
  }

  test("messages cross both ways, each in the words of its wire; keys are one space", async () => {
    const { id, socket, team, ana, server } = await both();
    const sent = await socket.ask("message:send", { client_id: "k", content: "grüß dich" });
    const received = await team.next("chat:message_received");
    assert.equal(received.id, sent.response.message.id);
    assert.equal(received.content_encrypted, sealed("grüß dich"));
    const answer = await team.ask("chat:message_send", {
      conversationId: id,
      contentEncrypted: sealed("👋"),
    });
    const { status, ...told } = await socket.event("message:new");
    assert.deepEqual([told.id, told.content, told.seq], [answer.data.id, "👋", 2]);
    assert.equal(status, "sent");
    const body = { conversation_id: id, content_encrypted: sealed("grüß dich"), client_message_id: "k" };
    const again = await rest(server.url, ana.token)("POST", "/api/messages", body);
    assert.equal(again.body.duplicate, true);
    await team.ask("chat:message_send", { conversationId: id, contentEncrypted: "/w==" });
    const bytes = await socket.event("message:new");
    assert.deepEqual([bytes.content, bytes.encoding], ["/w==", "base64"], "what is no text is told as such");
  });

  test("reads cross both ways: one on team, many up to here on phoenix", async () => {
    const { id, socket, team, teamRest, ana, ben } = await both();
    const ids = [];
    for (const text of ["1", "2", "3"]) {
      const payload = { conversationId: id, contentEncrypted: sealed(text) };
      ids.push((await team.ask("chat:message_send", payload)).data.id);
    }
    assert.equal((await socket.ask("message:read", { up_to: ids[1] })).status, "ok");
    for (const messageId of ids.slice(0, 2)) {
      const told = await team.next("chat:message_status_updated");
      assert.deepEqual([told.messageId, told.status, told.userId], [messageId, "read", ana.id]);
    }
    assert.equal((await socket.ask("message:read", { up_to: 3 })).status, "ok");
    assert.equal((await team.next("chat:message_status_updated")).messageId, ids[2]);
    assert.equal((await socket.ask("message:read", { up_to: 1 })).status, "ok");
    const { messages } = (await teamRest("GET", `/api/messages/${id}`)).body;
    assert.deepEqual(
      messages.map(({ status }) => status),
      ["read", "read", "read"],
    );
    const mine = (await socket.ask("message:send", { content: "4" })).response.message;
    await team.ask("chat:message_read", { messageId: mine.id });
    const read = { conversation_id: id, user_id: ben.id, up_to: mine.id, seq: 4 };
    assert.deepEqual(await socket.event("message:read"), read);
  });

  test("typing and presence cross; a lost socket types no more", async () => {
    const { socket, team, ana, ben } = await both();
    await team.ask("presence:online", {});
    const come = await socket.event("presence_diff");
    assert.equal(come.joins[ben.id].metas.length, 1);
    await socket.ask("typing", { is_typing: true });
    assert.equal((await team.next("chat:user_typing")).isTyping, true);
    socket.ws.terminate();
    assert.equal((await team.next("chat:user_typing")).isTyping, false);
    const isAna = (status) => (told) => told.userId === ana.id && told.status === status;
    await team.next("user:status_changed", isAna("offline"));
  });
});

describe("faults", () => {
  test("an answer that is lost after storing: the same key again finds the message", async () => {
    const { server, ana, topic, joined, id } = await setUp();
    const socket = await joined(ana);
    await server.fault({ fault: "lose_ack" });
    socket.send("1", "2", topic, "message:send", { client_id: "k", content: "once" });
    assert.equal(await socket.closed(), 1006);
    const again = await (await joined(ana)).ask("message:send", { client_id: "k", content: "once" });
    assert.equal(again.response.duplicate, true);
    assert.equal((await server.log(id)).length, 1);
  });

  test("withheld, delayed and failed answers", async () => {
    const { server, ana, topic, joined } = await setUp();
    const socket = await joined(ana);
    await server.fault({ fault: "withhold_ack" });
    await server.fault({ fault: "delay_ack", ms: 50 });
    await server.fault({ fault: "fail_send", code: "RateLimited", retry_after_ms: 9, skip: 2 });
    for (const ref of ["a", "b", "c"]) socket.send("1", ref, topic, "message:send", { content: ref });
    const failed = await socket.reply("c");
    assert.deepEqual([failed.response.code, failed.response.retry_after_ms], ["RateLimited", 9]);
    assert.equal((await socket.reply("b")).response.message.seq, 2);
    assert.deepEqual(await socket.settle(), [], "the first one never comes");
  });

  for (const [fault, stored] of [
    ["crash_before_store", 0],
    ["crash_after_store", 1],
  ]) {
    test(`${fault}: ${stored} stored, and the retry stores it once`, async () => {
      const { server, ana, topic, joined, id } = await setUp();
      const socket = await joined(ana);
      await server.fault({ fault });
      socket.send("1", "2", topic, "message:send", { client_id: "k", content: "once" });
      await server.ended();
      await server.start();
      assert.equal((await server.log(id)).length, stored);
      await (await joined(ana)).ask("message:send", { client_id: "k", content: "once" });
      assert.equal((await server.log(id)).length, 1);
    });
  }

  test("crash_after_ack: the answer is out, in either encoding, when the process goes", async () => {
    for (const isBinary of [false, true]) {
      const { server, ana, topic, joined } = await setUp();
      const socket = await joined(ana);
      await server.fault({ fault: "crash_after_ack" });
      if (isBinary) socket.sendBinary("1", "2", topic, "message:send", JSON.stringify({ content: "x" }));
      else socket.send("1", "2", topic, "message:send", { content: "x" });
      assert.equal((await socket.reply("2")).status, "ok");
      await server.ended();
    }
  });

  test("tokens refused and expired, sockets dropped", async () => {
    const { server, ana, joined } = await setUp();
    const socket = await joined(ana);
    await server.fault({ fault: "refuse_token", user: "ana" });
    const url = socketUrl(server.phoenix);
    assert.equal(await upgradeStatus(url, subprotocols(ana.token)), 403);
    assert.equal(await upgradeStatus(url, subprotocols(ana.token)), 101);
    await server.fault({ fault: "drop_sockets", user: "ana" });
    assert.equal(await socket.closed(), 1006);
    const second = await joined(ana);
    await server.fault({ fault: "expire_tokens" });
    assert.equal(await second.closed(), 1006);
    assert.equal(await upgradeStatus(url, subprotocols(ana.token)), 403);
    await server.disarm();
  });
});
