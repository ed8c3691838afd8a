// Our endpoint under the official Phoenix client, of both lines in use: what it says on the wire is what others
// understand.
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { rest } from "./client.mjs";
import { answered, lines, openOfficial, withTimeout } from "./phoenix.mjs";
import { startReference } from "./reference.mjs";

const running = [];
afterEach(async () => {
  for (const thing of running.splice(0).reverse()) await thing.close();
});

async function setUp(line, options) {
  const server = await startReference();
  running.push(server);
  const signIn = async (name) => {
    const { token, user } = await server.login(name);
    const client = await openOfficial(line, server.phoenix, token, options);
    running.push(client);
    return { ...client, token, id: user.id, name, rest: rest(server.phoenix, token) };
  };
  const [ana, ben] = [await signIn("ana"), await signIn("ben")];
  const { body } = await ana.rest("POST", "/api/conversations", { kind: "direct", user_id: ben.id });
  return { server, ana, ben, signIn, id: body.conversation.id };
}

/** A channel that has been joined, and everything that came on it: `next(event)` gives each once. */
async function join(person, topic, params = {}) {
  const channel = person.socket.channel(topic, params);
  const seen = [];
  const waiting = new Set();
  const { onMessage } = channel;
  const note = (event, payload) => {
    seen.push({ event, payload });
    for (const check of [...waiting]) check();
  };
  channel.onMessage = function (event, payload, ref) {
    note(event, payload);
    return onMessage.call(this, event, payload, ref);
  };
  // Each time anew: the client joins again by itself.
  channel.joinPush.receive("ok", (response) => note("joined", response));
  const next = (event) =>
    withTimeout(
      new Promise((resolve) => {
        const check = () => {
          const index = seen.findIndex((one) => one.event === event);
          if (index < 0) return;
          waiting.delete(check);
          resolve(seen.splice(index, 1)[0].payload);
        };
        waiting.add(check);
        check();
      }),
      event,
    );
  const joined = await answered(channel.join());
  if (joined.status === "ok") await next("joined");
  return { channel, seen, next, joined, push: (event, payload) => answered(channel.push(event, payload)) };
}

for (const line of lines) {
  describe(`phoenix ${line.line}`, () => {
    test("P1 P6 D2 D7 joins: capabilities, cursor and seq; refusals say why", async () => {
      const { ana, ben, signIn, id } = await setUp(line);
      const own = await join(ana, `user:${ana.id}`);
      assert.equal(own.joined.status, "ok");
      assert.equal(own.joined.response.user_id, ana.id);
      const { maxPayload, ...flags } = own.joined.response.capabilities;
      assert.ok(maxPayload > 0);
      assert.deepEqual(flags, { keys: true, cursor: true, orderedWindow: true, receipts: true });
      const room = await join(ana, `conversation:${id}`, { last_seq: 0 });
      assert.deepEqual(room.joined, { status: "ok", response: { cursor: "c_0", seq: 0 } });

      const refused = async (person, topic) => (await join(person, topic)).joined;
      const because = (reason) => ({ status: "error", response: { reason } });
      assert.deepEqual(await refused(ana, `user:${ben.id}`), because("forbidden"));
      assert.deepEqual(await refused(await signIn("cai"), `conversation:${id}`), because("forbidden"));
      assert.deepEqual(await refused(ana, "conversation:none"), because("not found"));
      assert.deepEqual(await refused(ana, "room:lobby"), because("unmatched topic"));
    });

    test("P7 P8 D7 a send is answered and told to the others; edits, reactions, reads, typing too", async () => {
      const { ana, ben, id } = await setUp(line);
      const [one, other] = [await join(ana, `conversation:${id}`), await join(ben, `conversation:${id}`)];
      const draft = { client_id: "k1", content: "grüß dich 👋", type: "text", metadata: { a: [1] } };
      const { status, response } = await one.push("message:send", draft);
      assert.equal(status, "ok");
      assert.equal(response.duplicate, undefined);
      const { message } = response;
      assert.equal(message.client_id, "k1");
      assert.equal(message.seq, 1);
      assert.equal(message.content, draft.content);
      assert.deepEqual(message.metadata, { a: [1] });
      assert.equal(message.reply_to, null);
      assert.ok(Math.abs(Date.parse(message.inserted_at) - Date.now()) < 60_000, message.inserted_at);
      const { client_id, ...withoutKey } = message;
      assert.deepEqual(await other.next("message:new"), withoutKey, "the key is its sender's alone");

      assert.deepEqual(await other.push("message:read", { up_to: message.id }), {
        status: "ok",
        response: {},
      });
      const read = { conversation_id: id, user_id: ben.id, up_to: message.id, seq: 1 };
      assert.deepEqual(await one.next("message:read"), read);
      await other.push("typing", { is_typing: true });
      assert.deepEqual(await one.next("typing"), { conversation_id: id, user_id: ben.id, is_typing: true });

      await other.push("message:react", { id: message.id, emoji: "👍", op: "add" });
      const reaction = { id: message.id, conversation_id: id, emoji: "👍", user_id: ben.id, op: "add" };
      assert.deepEqual(await one.next("message:react"), reaction);
      const edited = (await one.push("message:update", { id: message.id, content: "hi" })).response.message;
      assert.equal(edited.content, "hi");
      assert.equal(edited.status, "read");
      assert.equal((await other.next("message:update")).content, "hi");
      const deleted = (await one.push("message:delete", { id: message.id })).response.message;
      assert.equal(deleted.content, "");
      const { deleted_at, ...rest } = await other.next("message:delete");
      assert.deepEqual(rest, { id: message.id, conversation_id: id, seq: 1 });
      assert.equal(deleted_at, deleted.deleted_at);
    });

    test("D3 an error is the response, and names its field", async () => {
      const { ana, id } = await setUp(line);
      const room = await join(ana, `conversation:${id}`);
      const { status, response } = await room.push("message:send", { content: "" });
      assert.equal(status, "error");
      assert.equal(response.code, "ValidationError");
      assert.equal(response.field, "content");
      assert.equal(typeof response.message, "string");
    });

    test("P4 X10 binary: pushes, replies in either encoding, server pushes, broadcasts", async () => {
      const { ana, ben, id } = await setUp(line);
      const [one, other] = [await join(ana, `conversation:${id}`), await join(ben, `conversation:${id}`)];
      const bytes = (data) => [...new Uint8Array(data)];
      const data = Uint8Array.of(0, 1, 255).buffer;
      assert.deepEqual(bytes((await one.push("test:echo", data)).response), [0, 1, 255]);
      const inText = (await one.push("test:echo_other", data)).response;
      assert.deepEqual(inText, { base64: "AAH/" });
      assert.ok((await one.push("test:echo_other", { a: 1 })).response instanceof ArrayBuffer);
      one.channel.push("test:push", data);
      assert.deepEqual(bytes(await one.next("test:pushed")), [0, 1, 255]);
      one.channel.push("test:broadcast", data);
      assert.deepEqual(bytes(await other.next("test:broadcast")), [0, 1, 255]);
      assert.deepEqual(bytes(await one.next("test:broadcast")), [0, 1, 255]);

      const json = new TextEncoder().encode(JSON.stringify({ content: "in bytes" }));
      const { status, response } = await one.push("message:send", json.slice().buffer);
      assert.equal(status, "ok");
      const { message } = JSON.parse(new TextDecoder().decode(response));
      assert.equal(message.content, "in bytes");
      assert.equal((await other.next("message:new")).id, message.id);
    });

    test("P5 X11 presence: who is there, who comes, who goes", async () => {
      const { ana, ben, signIn, id } = await setUp(line);
      const channel = ana.socket.channel(`conversation:${id}`);
      const presence = new ana.phoenix.Presence(channel);
      const present = (wanted) =>
        withTimeout(
          new Promise((resolve) => {
            const check = () => {
              const counts = presence.list((key, { metas }) => [key, metas.length]);
              if (JSON.stringify(counts.sort()) === JSON.stringify(wanted.sort())) resolve();
            };
            presence.onSync(check);
            check();
          }),
          JSON.stringify(wanted),
        );
      await answered(channel.join());
      await present([[ana.id, 1]]);
      const room = await join(ben, `conversation:${id}`);
      await present([
        [ana.id, 1],
        [ben.id, 1],
      ]);
      const second = await signIn("ben");
      await join(second, `conversation:${id}`);
      await present([
        [ana.id, 1],
        [ben.id, 2],
      ]);
      await answered(room.channel.leave());
      await present([
        [ana.id, 1],
        [ben.id, 1],
      ]);
      await second.close();
      await present([[ana.id, 1]]);
    });

    test("X4 a crash is an error, and the client joins again; phx_close is the end", async () => {
      const { ana, id } = await setUp(line);
      const room = await join(ana, `conversation:${id}`);
      const crashed = new Promise((resolve) => room.channel.onError(resolve));
      room.channel.push("no such event", {});
      await withTimeout(crashed, "error");
      await room.next("joined");
      assert.equal((await room.push("message:send", { content: "again" })).status, "ok");
      const closed = new Promise((resolve) => room.channel.onClose(resolve));
      assert.deepEqual((await room.push("test:close_reply", { last: true })).response, { last: true });
      await withTimeout(closed, "close");
      assert.equal(room.channel.state, "closed");
    });

    test("X6 a second channel object on a topic takes it over", async () => {
      const { ana, id } = await setUp(line);
      const first = await join(ana, `conversation:${id}`);
      const second = await join(ana, `conversation:${id}`);
      assert.equal(first.channel.state, "closed");
      assert.equal((await second.push("message:send", { content: "x" })).status, "ok");
      assert.equal((await answered(second.channel.leave())).status, "ok");
    });

    test("X7 the heartbeat is answered: the socket stays", async () => {
      const { ana } = await setUp(line, { heartbeatIntervalMs: 30 });
      let beats = 0;
      const beaten = new Promise((resolve) => {
        ana.socket.onMessage(({ topic, payload }) => {
          if (topic === "phoenix" && payload.status === "ok" && ++beats === 3) resolve();
        });
      });
      await withTimeout(beaten, "third heartbeat");
      assert.equal(ana.socket.isConnected(), true);
    });

    test("X9 a lost network, a restart: the client comes back, rejoins, and misses nothing by sync", async () => {
      const { server, ana, ben, id } = await setUp(line);
      const room = await join(ana, `conversation:${id}`);
      const other = await join(ben, `conversation:${id}`);
      const { response } = await other.push("message:send", { content: "1" });
      await server.fault({ fault: "drop_sockets", user: "ana" });
      await other.push("message:send", { content: "2" });
      assert.ok((await room.next("joined")).seq >= 1);
      await server.restart("SIGTERM");
      assert.equal((await room.next("joined")).seq, 2);
      const query = `conversation_id=${id}&cursor=c_1`;
      const { body } = await ana.rest("GET", `/api/sync?${query}`);
      assert.deepEqual(
        body.messages.map((message) => message.content),
        ["2"],
      );
      assert.equal(response.message.seq, 1);
    });
  });
}
