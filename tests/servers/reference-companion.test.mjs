// Our companion endpoint under the official Socket.IO client: what it says on the wire is what others understand.
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { assertRefused, connected, open, rest, sealed } from "./client.mjs";
import { startReference } from "./reference.mjs";

const running = [];
afterEach(async () => {
  for (const thing of running.splice(0).reverse()) await thing.close();
});

async function serve(args = []) {
  const server = await startReference(["--script-delay-ms", "1", ...args]);
  running.push(server);
  return server;
}

/** A client whose events carry its user and its girl; `plain` is the server without anything of ours. */
async function signIn(server, name, { plain = false } = {}) {
  const { token, user } = await server.login(name);
  const url = plain ? server.plain.companion : server.companion;
  const client = await connected(url, token, { auth: { token, user_id: user.number } });
  running.push(client);
  const emit = (event, payload) =>
    client.socket.emit(event, { user_id: user.number, girl_id: "luna", ...payload });
  const received = (sender) =>
    client.next("message_received", ({ message }) => message.sender === sender).then((p) => p.message);
  const conversation = (girl = "luna") => `companion:${user.number}:${girl}`;
  return { ...client, user, token, emit, received, conversation };
}

const texts = async (server, person, girl) =>
  (await server.log(person.conversation(girl))).map(({ text }) => text);

describe("companion: connecting", () => {
  test("C1 C6 CONNECT carries the token and the number of its user", async () => {
    const server = await serve();
    const { token, user } = await server.login("ana");
    const { user: other } = await server.login("ben");
    assert.equal(typeof user.number, "number");
    assert.notEqual(user.number, other.number);
    assert.equal((await server.login("ana")).user.number, user.number, "it stays");
    for (const user_id of [user.number, String(user.number)]) {
      running.push(await connected(server.companion, token, { auth: { token, user_id } }));
    }
    const refused = async (auth) => {
      const client = open(server.companion, token, { auth });
      running.push(client);
      return (await client.next("connect_error")).message;
    };
    assert.match(await refused({ token, user_id: other.number }), /^AuthError: /);
    assert.match(await refused({ token: "bad", user_id: user.number }), /^AuthError: /);
    assert.match(await refused({ user_id: user.number }), /^AuthError: /);
    assert.match(await refused({ token }), /^ValidationError: /);
  });

  test("D2 hello right after CONNECT; none from a plain server", async () => {
    const server = await serve();
    const { capabilities } = await (await signIn(server, "ana")).next("chatwire:hello");
    const { maxPayload, ...flags } = capabilities;
    assert.deepEqual(flags, { keys: true, cursor: false, orderedWindow: false, receipts: true });
    assert.ok(maxPayload > 0);
    const plain = await signIn(server, "ana", { plain: true });
    plain.emit("send_message", { content: "hi" });
    await plain.received("girl");
    assert.ok(plain.seen.every(({ event }) => event !== "chatwire:hello"));
  });

  test("D6 an expired token cuts the socket and is refused; a fresh one is taken", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana");
    await server.fault({ fault: "expire_tokens" });
    await ana.next("disconnect");
    ana.socket.connect();
    assert.match((await ana.next("connect_error")).message, /auth/i);
    await signIn(server, "ana");
  });
});

describe("companion: talking", () => {
  test("C2 C3 D8 she reads, types and answers; the sender gets the number of the message", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana");
    ana.emit("send_message", { content: "grüß dich 👋", client_id: "k1" });
    const own = await ana.received("user");
    const { id, timestamp, ...rest } = own;
    assert.equal(typeof id, "number");
    assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 60_000, timestamp);
    const record = { girl_id: "luna", content: "grüß dich 👋", sender: "user", type: "text" };
    assert.deepEqual(rest, { ...record, client_id: "k1" });
    assert.deepEqual(await ana.next("message_read"), { message_id: id, girl_id: "luna" });
    assert.deepEqual(await ana.next("typing"), { girl_id: "luna", is_typing: true });
    assert.deepEqual(await ana.next("typing"), { girl_id: "luna", is_typing: false });
    const answer = await ana.received("girl");
    assert.equal(answer.girl_id, "luna");
    assert.equal(answer.type, "text");
    assert.ok(answer.id > id);
    assert.match(answer.content, /grüß dich/);
  });

  test("C3 every device of the user hears it, nobody else does", async () => {
    const server = await serve();
    const [ana, second, ben] = [
      await signIn(server, "ana"),
      await signIn(server, "ana"),
      await signIn(server, "ben"),
    ];
    ana.emit("send_message", { content: "for luna", client_id: "k1" });
    assert.equal((await second.received("user")).client_id, "k1");
    await second.received("girl");
    ben.emit("send_message", { content: "mine" });
    assert.equal((await ben.received("user")).content, "mine");
    await ben.received("girl");
    assert.ok(ben.seen.every(({ payload }) => !JSON.stringify(payload ?? "").includes("for luna")));
  });

  test("C2 what is read here is read on the other device", async () => {
    const server = await serve();
    const [ana, second] = [await signIn(server, "ana"), await signIn(server, "ana")];
    ana.emit("send_message", { content: "hi" });
    const { id } = await ana.received("girl");
    ana.emit("mark_read", { message_ids: [id] });
    const isIt = (read) => read.message_id === id;
    assert.deepEqual(await second.next("message_read", isIt), { message_id: id, girl_id: "luna" });
  });

  test("C2 C3 a photo that is asked for: photo_generated, and a message of type photo", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana");
    ana.emit("request_photo", { context: "at the sea" });
    const { girl_id, photo_url } = await ana.next("photo_generated");
    assert.equal(girl_id, "luna");
    const message = await ana.received("girl");
    assert.equal(message.type, "photo");
    assert.equal(message.photo_url, photo_url);
    const response = await fetch(photo_url);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "image/svg+xml");
    assert.equal((await fetch(`${server.companion}/photos/none.svg`)).status, 404);
  });

  test("C3 T8 other wires do not list what is said to her, nor say anything to her", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana");
    ana.emit("send_message", { content: "hi" });
    await ana.received("girl");
    const call = rest(server.url, ana.token);
    assert.deepEqual((await call("GET", "/api/conversations")).body.conversations, []);
    const body = { conversation_id: ana.conversation(), content_encrypted: sealed("hi") };
    assertRefused(await call("POST", "/api/messages", body), 404, "NotFoundError");
    const { users } = (await call("GET", "/api/users")).body;
    assert.deepEqual(
      users.map(({ name }) => name),
      ["ana"],
      "a script is nobody",
    );
  });

  test("C2 what is not in order is dropped: another user, no girl, nothing to say, too long", async () => {
    const server = await serve(["--max-text", "20"]);
    const ana = await signIn(server, "ana");
    ana.emit("send_message", { content: "another's", user_id: ana.user.number + 1 });
    ana.emit("send_message", { content: "no girl", girl_id: "" });
    ana.emit("send_message", { content: "" });
    ana.emit("send_message", { content: "x".repeat(21) });
    ana.emit("typing_indicator", { is_typing: "yes" });
    ana.emit("mark_read", { message_ids: "all" });
    ana.socket.emit("send_message");
    ana.emit("send_message", { content: "good" });
    assert.equal((await ana.received("user")).content, "good");
    assert.equal((await texts(server, ana))[0], "good");
  });
});

describe("companion: keys", () => {
  test("D3 the same key again is told like the first time and stored once", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana");
    ana.emit("send_message", { content: "once", client_id: "k1" });
    const first = await ana.received("user");
    const answer = await ana.received("girl");
    ana.emit("send_message", { content: "once", client_id: "k1" });
    assert.deepEqual(await ana.received("user"), first);
    ana.emit("send_message", { content: "other", client_id: "k1" });
    ana.emit("send_message", { content: "next", client_id: "k2" });
    await ana.received("girl");
    const log = await texts(server, ana);
    assert.deepEqual(log.slice(0, 3), ["once", answer.content, "next"]);
    assert.equal(log.length, 4);
  });

  test("D2 a plain server keeps no keys: twice is twice, and no copy names one", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana", { plain: true });
    for (let i = 0; i < 2; i++) {
      ana.emit("send_message", { content: "again", client_id: "k1" });
      assert.equal("client_id" in (await ana.received("user")), false);
    }
    const mine = (await server.log(ana.conversation())).filter(({ text }) => text === "again");
    assert.equal(mine.length, 2);
  });

  test("D3 a copy that is lost after storing: the same key again finds the message", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana");
    await server.fault({ fault: "lose_ack", user: "ana" });
    ana.emit("send_message", { content: "once", client_id: "k1" });
    await ana.next("disconnect");
    ana.socket.connect();
    await ana.next("connect");
    ana.emit("send_message", { content: "once", client_id: "k1" });
    assert.equal((await ana.received("user")).client_id, "k1");
    assert.equal((await texts(server, ana)).filter((text) => text === "once").length, 1);
  });

  test("C6 numbers and keys outlive the server", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana");
    ana.emit("send_message", { content: "once", client_id: "k1" });
    const { id } = await ana.received("user");
    await ana.received("girl");
    await server.restart();
    const again = await signIn(server, "ana");
    assert.equal(again.user.number, ana.user.number);
    again.emit("send_message", { content: "once", client_id: "k1" });
    assert.equal((await again.received("user")).id, id);
  });
});
