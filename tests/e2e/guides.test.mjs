// The facades of `chatwire/compat` in a real browser, with the built package, against our backend: each as its guide's reader writes it.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { reader } from "./lib/reader.mjs";
import { Stage } from "./lib/stage.mjs";

let stage;
before(async () => {
  stage = await Stage.open();
});
afterEach(async () => {
  await stage.server.disarm();
  await stage.leave();
});
after(() => stage?.close());

test("the team's guide: initializeSocket, sendMessage, sendTypingIndicator (T2, T4, T16)", async () => {
  const [ana, ben] = [await reader(stage, "guide ana"), await reader(stage, "guide ben")];
  const events = ["connect", "chat:message_received", "chat:message_status_updated", "chat:user_typing"];
  const open = ({ token, userId, url, events }) => {
    globalThis.socket = globalThis.guide.initializeSocket(token, { url, userId });
    for (const event of events) globalThis.socket.on(event, (value) => globalThis.told.push([event, value]));
  };
  const { url } = stage.server;
  for (const { run, token, userId } of [ana, ben]) await run(open, { token, userId, url, events });
  await Promise.all([ana.told("connect"), ben.told("connect")]);
  const id = await ana.run(async (userId) => {
    const client = await globalThis.socket.client();
    return (await client.createDirect(userId)).id;
  }, ben.userId);

  await ana.run((id) => globalThis.guide.sendTypingIndicator(id, true), id);
  assert.equal((await ben.told("chat:user_typing")).conversationId, id);
  const shown = await ana.run((id) => globalThis.guide.sendMessage(id, "héllo"), id);
  const received = await ben.told("chat:message_received");
  assert.equal(Buffer.from(received.content_encrypted, "base64").toString("utf8"), "héllo");
  const { status, ...updated } = await ana.told("chat:message_status_updated");
  assert.deepEqual(updated, { messageId: received.id, tempId: shown.rowKey });
  assert.ok(["sent", "delivered"].includes(status), status);
});

test("the team's guide in a tab that follows: reactions, conversations, what is read (T2, D4)", async () => {
  const first = await reader(stage, "tabs ana");
  const [second, ben] = [await reader(stage, "tabs ana", first), await reader(stage, "tabs ben")];
  const events = ["connect", "chat:message_received", "chat:reaction", "chat:conversation_updated"];
  const open = ({ token, userId, url, events }) => {
    globalThis.socket = globalThis.guide.initializeSocket(token, { url, userId });
    for (const event of events) globalThis.socket.on(event, (value) => globalThis.told.push([event, value]));
  };
  for (const { run, told, token, userId } of [first, second, ben]) {
    await run(open, { token, userId, url: stage.server.url, events });
    await told("connect");
  }
  const leads = () => globalThis.socket.client().then((client) => client.connection.leader);
  assert.equal(await second.run(leads), false);

  const id = await ben.run(async (userId) => {
    const client = await globalThis.socket.client();
    return (await client.createGroup({ title: "Crew", members: [userId] })).id;
  }, second.userId);
  assert.equal((await second.told("chat:conversation_updated")).conversation.title, "Crew");
  const react = async ({ id, emoji }) => {
    const message = await globalThis.guide.sendMessage(id, "hello");
    await (await globalThis.socket.client()).react(message.rowKey, emoji);
  };
  await ben.run(react, { id, emoji: "👍" });
  const { id: messageId } = await second.told("chat:message_received");
  const reaction = { messageId, emoji: "👍", userId: ben.userId, op: "add" };
  assert.deepEqual(await second.told("chat:reaction"), reaction);

  const read = await second.run(
    (messageId) =>
      new Promise((resolve) => globalThis.socket.emit("chat:message_read", { messageId }, resolve)),
    messageId,
  );
  assert.deepEqual(read, { success: true });
  await ben.page.waitForFunction(async (id) => {
    const client = await globalThis.socket.client();
    return client.conversation(id).getSnapshot()?.lastMessage?.status === "read";
  }, id);
});

test("the Phoenix guide: one socket, a channel for a conversation, push and hear (P1, P7, P8)", async () => {
  const [ana, ben] = [await reader(stage, "phoenix ana"), await reader(stage, "phoenix ben")];
  const url = stage.server.phoenix;
  const connect = async ({ token, userId, url }) => {
    globalThis.service = new globalThis.guide.SocketService({ url, userId, token });
    await globalThis.service.connect();
  };
  for (const { run, token, userId } of [ana, ben]) await run(connect, { token, userId, url });
  const create = async (userId) => {
    const client = await globalThis.service.client();
    return (await client.createDirect(userId)).id;
  };
  const id = await ana.run(create, ben.userId);
  await ben.run(create, ana.userId);
  const join = async (id) => {
    globalThis.channel = globalThis.service.channel(`conversation:${id}`);
    for (const event of ["message:new", "typing"])
      globalThis.channel.on(event, (payload) => globalThis.told.push([event, payload]));
    await globalThis.channel.joined;
  };
  for (const { run } of [ana, ben]) await run(join, id);
  const reply = await ana.run(() => globalThis.channel.push("message:send", { content: "hello" }));
  assert.equal(reply.message.content, "hello");
  const received = await ben.told("message:new");
  assert.deepEqual(
    [received.content, received.sender_id, received.conversation_id],
    ["hello", ana.userId, id],
  );
  await ben.run(() => globalThis.channel.push("typing", { is_typing: true }));
  assert.deepEqual(await ana.told("typing"), { user_id: ben.userId, is_typing: true });
});
