// Our channels endpoint under the official Socket.IO client: what it says on the wire is what others understand.
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { connected, open, rest, sealed } from "./client.mjs";
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

async function signIn(server, name, { plain = false } = {}) {
  const { token, user } = await server.login(name);
  const url = plain ? server.plain.channels : server.channels;
  const client = await connected(url, token, { auth: { token, userId: user.id } });
  running.push(client);
  const message = (channelId, id, content) => ({
    id,
    content,
    channelId,
    userId: user.id,
    createdAt: new Date().toISOString(),
  });
  const send = (...args) => client.ask("message:send", message(...args));
  return { ...client, token, id: user.id, message, send, rest: rest(server.url, token) };
}

/** Two people in a channel that a conversation of theirs is. */
async function setUp(options) {
  const server = await serve();
  const [ana, ben] = [await signIn(server, "ana", options), await signIn(server, "ben", options)];
  const { body } = await ana.rest("POST", "/api/conversations/direct", { user_id: ben.id });
  return { server, ana, ben, channel: body.conversation.id };
}

const texts = async (server, channel) => (await server.log(channel)).map(({ text }) => text);

describe("channels: connecting", () => {
  test("H2 CONNECT carries the token and its user", async () => {
    const server = await serve();
    const { token, user } = await server.login("ana");
    const { user: other } = await server.login("ben");
    running.push(await connected(server.channels, token, { auth: { token, userId: user.id } }));
    const refused = async (auth) => {
      const client = open(server.channels, token, { auth });
      running.push(client);
      return (await client.next("connect_error")).message;
    };
    assert.match(await refused({ token: "bad", userId: user.id }), /^auth_failed: /, "H6");
    assert.match(await refused({ token: `Bearer ${token}`, userId: user.id }), /^auth_failed: /, "H1");
    assert.match(await refused({ token, userId: other.id }), /^auth_failed: /);
    assert.match(await refused({ token }), /^connection_error: /, "H6");
  });

  test("D2 hello right after CONNECT; none from a plain server", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana");
    const { capabilities, user } = await ana.next("chatwire:hello");
    const { maxPayload, ...flags } = capabilities;
    assert.deepEqual(flags, { keys: true, cursor: false, orderedWindow: true, receipts: true });
    assert.ok(maxPayload > 0);
    assert.deepEqual(user, { id: ana.id });
    const plain = await signIn(server, "ana", { plain: true });
    assert.equal((await plain.send("general", "k1", "hi")).success, true);
    assert.ok(plain.seen.every(({ event }) => event !== "chatwire:hello"));
  });

  test("H7 D6 an expired token is refused; with a fresh one the connection goes on", async () => {
    const { server, ana, channel } = await setUp();
    await server.fault({ fault: "expire_tokens" });
    await ana.next("disconnect");
    ana.socket.connect();
    assert.match((await ana.next("connect_error")).message, /^auth_failed: token expired/);
    const { token } = await server.login("ana");
    ana.socket.auth = { token, userId: ana.id };
    ana.socket.connect();
    await ana.next("connect");
    assert.equal((await ana.send(channel, "k1", "hi")).success, true);
  });

  test("H7 a token expires while its socket is open", async () => {
    const server = await serve(["--token-ttl", "0.3"]);
    const ana = await signIn(server, "ana");
    assert.equal(await ana.next("disconnect"), "transport close");
    ana.socket.connect();
    assert.match((await ana.next("connect_error")).message, /^auth_failed: /);
  });
});

describe("channels: messages", () => {
  test("H4 H5 a whole message is acknowledged and told to the others", async () => {
    const { ana, ben, channel } = await setUp();
    const answer = await ana.send(channel, "k1", "grüß dich 👋");
    assert.deepEqual(Object.keys(answer).sort(), ["data", "success"]);
    const { createdAt, ...rest } = answer.data;
    assert.deepEqual(rest, { id: "k1", content: "grüß dich 👋", channelId: channel, userId: ana.id });
    assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 60_000, createdAt);
    assert.deepEqual(await ben.next("message:new"), answer.data);
    assert.ok(
      ana.seen.every(({ event }) => event !== "message:new"),
      "its own socket knows already",
    );
  });

  test("D3 the same id and content: the first answer again; other content: ValidationError on the id", async () => {
    const { server, ana, ben, channel } = await setUp();
    const first = await ana.send(channel, "k1", "one");
    assert.deepEqual(await ana.send(channel, "k1", "one"), { ...first, duplicate: true });
    const other = await ana.send(channel, "k1", "two");
    assert.equal(other.success, false);
    assert.equal(other.error.code, "ValidationError");
    assert.equal(other.error.field, "id");
    const bens = await ben.send(channel, "k1", "mine");
    assert.equal(bens.error.code, "ValidationError", "an id names one message");
    assert.deepEqual(await texts(server, channel), ["one"]);
  });

  test("D3 a plain server says nothing of duplicates", async () => {
    const { ana, channel } = await setUp({ plain: true });
    const first = await ana.send(channel, "k1", "one");
    assert.deepEqual(await ana.send(channel, "k1", "one"), first);
    const other = await ana.send(channel, "k1", "two");
    assert.equal(other.success, false);
    assert.match(other.error, /^message_failed: /, "H6 a text");
  });

  test("H4 what a message answers, its type and metadata are told too", async () => {
    const { ana, ben, channel } = await setUp();
    await ben.send(channel, "b1", "what is it?");
    const extra = { type: "image", metadata: { width: 3 }, replyTo: "b1" };
    const answer = await ana.ask("message:send", { ...ana.message(channel, "k1", "this"), ...extra });
    assert.equal(answer.success, true, JSON.stringify(answer));
    const { type, metadata, replyTo } = await ben.next("message:new");
    assert.deepEqual({ type, metadata, replyTo }, extra);
    const lost = { ...ana.message(channel, "k2", "this"), replyTo: "none" };
    assert.equal((await ana.ask("message:send", lost)).error.field, "replyTo");
  });

  test("H4 D3 refusals: not a member, no id, somebody else's name, nothing to say", async () => {
    const { server, ana, ben, channel } = await setUp();
    const cai = await signIn(server, "cai");
    assert.equal((await cai.send(channel, "k1", "hi")).error.code, "ForbiddenError");
    assert.equal((await ana.send(channel, "", "hi")).error.field, "id");
    assert.equal((await ana.send(channel, "k1", "")).error.field, "content");
    assert.equal((await ana.send("c_0123456789abcdef", "k1", "hi")).error.code, "NotFoundError");
    assert.equal((await ana.send("companion:1:luna", "k1", "hi")).error.code, "NotFoundError");
    const forged = { ...ana.message(channel, "k1", "hi"), userId: ben.id };
    assert.equal((await ana.ask("message:send", forged)).error.code, "ForbiddenError");
    assert.equal((await ana.ask("message:send", "hi")).error.field, "payload");
    assert.equal((await ana.ask("message:shout", {})).error.field, "event");
    assert.deepEqual(await texts(server, channel), []);
  });

  test("H6 who asks for no acknowledgement is told by message_failed", async () => {
    const { ana, channel } = await setUp();
    ana.socket.emit("message:send", ana.message(channel, "k1", ""));
    const { id, error } = await ana.next("message_failed");
    assert.equal(id, "k1");
    assert.equal(error.code, "ValidationError");
  });

  test("H5 delivered, then read, reach the sender", async () => {
    const { ana, ben, channel } = await setUp();
    await ana.send(channel, "k1", "hi");
    for (const name of ["message:delivered", "message:read"]) {
      assert.deepEqual(await ben.ask(name, { messageId: "k1" }), { success: true });
      const { timestamp, ...told } = await ana.next(name);
      assert.deepEqual(told, { messageId: "k1", channelId: channel, userId: ben.id });
    }
    assert.equal((await ben.ask("message:read", { messageId: "none" })).error.code, "NotFoundError");
    assert.equal((await ben.ask("message:read", {})).error.field, "messageId");
  });

  test("H4 any other id is an open channel: who sends to it is in it", async () => {
    const server = await serve();
    const [ana, ben] = [await signIn(server, "ana"), await signIn(server, "ben")];
    assert.equal((await ana.send("general", "a1", "anybody?")).success, true);
    assert.equal((await ben.send("general", "b1", "me")).success, true);
    assert.equal((await ana.next("message:new")).content, "me");
    assert.equal((await ana.send("general", "a2", "hello")).success, true);
    assert.equal((await ben.next("message:new")).id, "a2");
    const { conversations } = (await ben.rest("GET", "/api/conversations")).body;
    assert.deepEqual(
      conversations.map(({ id, title }) => [id, title]),
      [["general", "general"]],
      "a group to the other wires",
    );
  });

  test("H5 T4 people on another wire are reached, and reach us", async () => {
    const { server, ana, ben, channel } = await setUp();
    const team = await connected(server.url, ben.token);
    running.push(team);
    await ana.send(channel, "k1", "over here");
    const told = await team.next("chat:message_received");
    assert.equal(told.content_encrypted, sealed("over here"));
    const { data } = await team.ask("chat:message_send", {
      conversationId: channel,
      contentEncrypted: sealed("over there"),
    });
    const received = await ana.next("message:new");
    assert.equal(received.content, "over there");
    assert.equal(received.id, data.id);
    assert.deepEqual(await ana.ask("message:read", { messageId: data.id }), { success: true });
    assert.equal((await team.next("chat:message_status_updated")).messageId, data.id);
  });
});

describe("channels: trouble", () => {
  test("H7 an answer that is lost after storing: the same id again finds the message", async () => {
    const { server, ana, channel } = await setUp();
    await server.fault({ fault: "lose_ack", user: "ana" });
    ana.socket.emit("message:send", ana.message(channel, "k1", "once"));
    await ana.next("disconnect");
    ana.socket.connect();
    await ana.next("connect");
    assert.equal((await ana.send(channel, "k1", "once")).duplicate, true);
    assert.deepEqual(await texts(server, channel), ["once"]);
  });

  test("D3 a send that fails for now stops those behind it until its id comes again", async () => {
    const { server, ana, channel } = await setUp();
    await server.fault({ fault: "fail_send", code: "RateLimited", retry_after_ms: 5, user: "ana" });
    const answers = await Promise.all(["1", "2", "3"].map((n) => ana.send(channel, `k${n}`, n)));
    assert.deepEqual(
      answers.map(({ error }) => error?.code),
      ["RateLimited", "ServerError", "ServerError"],
    );
    assert.equal(answers[0].error.retry_after_ms, 5);
    for (const n of ["1", "2", "3"]) assert.equal((await ana.send(channel, `k${n}`, n)).success, true);
    assert.deepEqual(await texts(server, channel), ["1", "2", "3"]);
  });

  test("H7 killed and started again: ids and members are still known", async () => {
    const server = await serve();
    const [ana, ben] = [await signIn(server, "ana"), await signIn(server, "ben")];
    await ana.send("general", "a1", "one");
    await ben.send("general", "b1", "two");
    await server.restart();
    for (const one of [ana, ben]) {
      await one.next("disconnect");
      one.socket.connect();
      await one.next("connect");
    }
    assert.equal((await ana.send("general", "a1", "one")).duplicate, true);
    await ana.send("general", "a2", "three");
    assert.equal((await ben.next("message:new", ({ id }) => id === "a2")).content, "three");
  });
});
