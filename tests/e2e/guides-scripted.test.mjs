// The facades of `chatwire/compat` in a real browser, with the built package, against the scripted partners and channels of our backend.
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

test("the companion's guide: login, send, answer, a photo, logout (C1 to C3, C10)", async () => {
  const ana = await reader(stage, "companion ana");
  const { number, token } = ana;
  const events = [
    "connected",
    "typing",
    "message_received",
    "message_read",
    "photo_generated",
    "disconnected",
  ];
  const url = stage.server.companion;
  const login = async ({ url, number, token, events }) => {
    const client = globalThis.guide.getSocketClient({ url });
    for (const event of events) client.on(event, (value) => globalThis.told.push([event, value]));
    await client.connect(number, token);
    return [client.isConnected(), client.getUserId(), client.getSocketId() !== null];
  };
  assert.deepEqual(await ana.run(login, { url, number, token, events }), [true, number, true]);
  await ana.run(async () => void (await globalThis.guide.getSocketClient().sendMessage("luna", "hi")));
  assert.equal((await ana.told("typing")).girl_id, "luna");
  const { message } = await ana.told("message_received");
  assert.deepEqual([message.girl_id, message.sender, typeof message.id], ["luna", "girl", "number"]);
  assert.equal((await ana.told("message_read")).girl_id, "luna");
  await ana.run((id) => globalThis.guide.getSocketClient().markAsRead("luna", [id]), message.id);
  await ana.run(() => globalThis.guide.getSocketClient().requestPhoto("luna"));
  const photo = await ana.told("photo_generated");
  assert.equal(photo.girl_id, "luna");
  assert.match(photo.photo_url, /^http/);
  await ana.run(() => globalThis.guide.getSocketClient().disconnect());
  await ana.told("disconnected");
});

test("the channels guide: acknowledged under its own id, new to others, delivered (H1, H4, H5)", async () => {
  const [ana, ben] = [await reader(stage, "channels ana"), await reader(stage, "channels ben")];
  const url = stage.server.channels;
  const open = async ({ url, userId, token }) => {
    globalThis.socket = new globalThis.guide.ChatSocketClient({ url, userId, token });
    for (const event of Object.values(globalThis.guide.SocketEvents))
      globalThis.socket.on(event, (value) => globalThis.told.push([event, value]));
    await globalThis.socket.connect();
  };
  for (const { run, userId, token } of [ana, ben]) await run(open, { url, userId, token });
  // Everybody who has said something in a channel is in it.
  const say = (message) => globalThis.socket.sendMessage(message);
  assert.equal((await ben.run(say, { content: "here", channelId: "general" })).success, true);
  const id = crypto.randomUUID();
  const ack = await ana.run(say, { id, content: "hello", channelId: "general" });
  assert.deepEqual([ack.success, ack.data.id, ack.data.userId], [true, id, ana.userId]);
  const received = await ben.told("message:new");
  assert.deepEqual([received.id, received.content, received.channelId], [id, "hello", "general"]);
  assert.deepEqual(await ana.told("message:delivered"), { messageId: id });
});

test("the assistant's guide: events, typing, an answer with sources, and consent in a popup (A5, A7, A8, A11)", async () => {
  const ana = await reader(stage, "assistant ana");
  const { userId, token } = ana;
  const connect = async ({ url, userId, token }) => {
    globalThis.service = new globalThis.guide.ChatService({ url, userId, token });
    for (const event of ["connected", "typing", "message", "error"])
      globalThis.service.on(event, (value) => globalThis.told.push([event, value ?? null]));
    const client = await globalThis.service.client();
    client.on("oauthRequired", ({ authUrl }) => globalThis.told.push(["oauthRequired", authUrl]));
    await globalThis.service.connect();
  };
  await ana.run(connect, { url: stage.server.assistant, userId, token });
  await ana.run(() => globalThis.service.sendMessage("what does my calendar say?"));
  assert.equal(await ana.told("typing"), true);
  const { sender, type } = await ana.told("message");
  assert.deepEqual([sender, type], ["ai", "text"]);
  const authUrl = await ana.told("oauthRequired");

  const opened = ana.page.waitForEvent("popup");
  const result = ana.run(
    (authUrl) => new globalThis.guide.OAuthHandler().handleOAuthRequest(authUrl),
    authUrl,
  );
  const popup = await opened;
  await popup.click("text=Allow");
  assert.equal(await result, true);
  await ana.page.waitForFunction(() =>
    globalThis.told.some(([event, value]) => event === "message" && value.content.startsWith("Thank you")),
  );
  assert.equal(await ana.run(() => globalThis.told.some(([event]) => event === "error")), false);
});
