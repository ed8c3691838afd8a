// The Phoenix guide as its reader uses it, against a server of the framing without anything of ours (P1 to P12).
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { type Channel, ChatManager, type PhoenixMessage, SocketService } from "../../src/compat/index.js";
import { Subscribers } from "../../src/emitter.js";
import { ChatError, type TimelineSnapshot } from "../../src/index.js";
import { emptyTimeline } from "../../src/timeline.js";
import { FakeChat } from "../fake.js";
import { plainServer } from "../phoenix-server.js";

const wasm = await readFile(join(import.meta.dirname, "../../pkg/phoenix/chatwire_bg.wasm"));

async function serviceOf(server: { url: string }, userId: string): Promise<SocketService> {
  const reconnect = { baseDelayMs: 20, maxDelayMs: 100 };
  const common = { storage: "memory", reconnect, wasm } as const;
  const service = new SocketService({ url: server.url, ...common });
  onTestFinished(() => service.close());
  await service.connect(userId, userId);
  return service;
}

function heard<T>(channel: Channel, event: string): Promise<T> {
  return new Promise((resolve) => {
    const off = channel.on(event, (payload: T) => {
      off();
      resolve(payload);
    });
  });
}

test("one socket, a channel for each conversation: join, push, hear, leave (P1, P3, P6 to P8)", async () => {
  const server = await plainServer();
  const [ana, ben] = await Promise.all([serviceOf(server, "ana"), serviceOf(server, "ben")]);
  expect(ana.isConnected()).toBe(true);
  const [mine, theirs] = [ana.channel("conversation:r1"), ben.joinChannel("conversation:r1")];
  await Promise.all([mine.joined, theirs.joined]);
  expect(ana.channel("conversation:r1")).toBe(mine);

  // A window asks for its topic; that it is joined is told by what comes.
  const news = heard<PhoenixMessage>(theirs, "message:new");
  const ready = await theirs.push("message:send", { content: "is anybody there?" });
  expect(ready).toMatchObject({ message: { content: "is anybody there?", sender_id: "ben" } });
  const reply = await mine.push("message:send", { content: "hello", client_id: "k".repeat(32) });
  expect(reply).toMatchObject({
    message: { content: "hello", conversation_id: "r1", client_id: "k".repeat(32) },
  });
  expect(await news).toMatchObject({ content: "hello", sender_id: "ana", conversation_id: "r1" });

  await ana.leaveChannel("conversation:r1");
  expect(ana.channel("conversation:r1")).not.toBe(mine);
});

test("topics of the backend's own: parameters, events, a refusal in words (P3)", async () => {
  const server = await plainServer();
  const ana = await serviceOf(server, "ana");
  const refused = ana.channel("news:1");
  await expect(refused.joined).rejects.toMatchObject({ code: "forbidden" });
  await refused.leave();
  const news = ana.channel("news:1", { content: "badge" });
  const headline = heard(news, "headline");
  await news.joined;
  expect(await headline).toEqual({ n: 1 });
  await news.leave();
});

test("a channel that is asked for before the login is joined with it; what was refused is tried again (P1)", async () => {
  const server = await plainServer();
  const service = new SocketService({ url: server.url, storage: "memory", wasm });
  onTestFinished(() => service.close());
  const [room, news, left] = ["conversation:r1", "news:1", "news:2"].map((topic) => service.channel(topic));
  if (!room || !news || !left) throw new Error("three channels");
  await left.leave();
  await expect(room.push("message:send", { content: "as whom?" })).rejects.toMatchObject({ code: "config" });
  await service.connect("ana", "ana");
  await room.joined;
  expect(await room.push("message:send", { content: "hello" })).toMatchObject({
    message: { content: "hello", reply_to: null, status: "acknowledged" },
  });
  await expect(left.joined).rejects.toMatchObject({ code: "cancelled" });
  await expect(news.joined).rejects.toMatchObject({ code: "forbidden" });
  await expect(news.join()).rejects.toMatchObject({ code: "forbidden" });
  expect(room.join()).toBe(room.joined);
});

test("a conversation's channel is joined when its window shows what there is, and not when it fails", async () => {
  const fake = new FakeChat("phoenix", "ana");
  const shown = { ...emptyTimeline, loading: true };
  const subscribers = new Subscribers();
  const show = (next: Partial<TimelineSnapshot>) => {
    Object.assign(shown, next);
    subscribers.notify();
  };
  const timeline = fake.timeline("r1");
  const subscribe = (listener: () => void) => subscribers.add(listener);
  fake.timeline = () => ({ ...timeline, getSnapshot: () => shown, subscribe });
  const service = new SocketService({ client: fake.client });
  const ends: string[] = [];
  const room = service.channel("conversation:r1");
  const note = (name: string, joined: Promise<void>) =>
    joined.then(
      () => void ends.push(`${name} joined`),
      ({ code }) => void ends.push(`${name} ${code}`),
    );
  const first = note("first", room.joined);
  show({ phase: "syncing" });
  expect(ends).toEqual([]);
  await expect.poll(() => subscribers.size).toBe(1);
  show({ error: new ChatError("forbidden", "not a member") });
  await first;
  Object.assign(shown, { error: null });
  const second = note("second", room.join());
  await expect.poll(() => subscribers.size).toBe(1);
  show({ loading: false });
  await second;
  expect(ends).toEqual(["first forbidden", "second joined"]);
});

test("another login is another client, and the topics of the last one are left", async () => {
  const server = await plainServer();
  const service = await serviceOf(server, "ana");
  const client = await service.client();
  const channel = service.channel("conversation:r1");
  await channel.joined;
  await service.connect("ben", "ben");
  expect(client.connection.state).toBe("closed");
  expect((await service.client()).userId).toBe("ben");
  expect(service.channel("conversation:r1")).not.toBe(channel);
});

test("ChatManager: open, send, read what is there, close (P7, P10)", async () => {
  const server = await plainServer();
  const [ana, ben] = await Promise.all([serviceOf(server, "ana"), serviceOf(server, "ben")]);
  const [mine, theirs] = [new ChatManager(ana), new ChatManager(ben)];
  await Promise.all([mine.initialize(), theirs.initialize()]);
  await Promise.all([mine.openConversation("r1"), theirs.openConversation("r1")]);
  const told: string[] = [];
  const came = new Promise<void>((resolve) => {
    theirs.on("message", ({ text }) => {
      told.push(text);
      resolve();
    });
  });
  // It is joined when an own message has gone through.
  const first = await theirs.sendMessage("r1", "first");
  await (await ben.client()).acknowledged(first.key);
  const message = await mine.sendMessage("r1", "hello", { metadata: { mood: "good" } });
  await came;
  expect(told).toEqual(["hello"]);
  await expect.poll(() => theirs.getMessages("r1").map(({ text }) => text)).toEqual(["first", "hello"]);
  await expect.poll(() => mine.getMessages("r1").at(-1)?.status).toBe("acknowledged");
  expect(mine.getMessages("r1").at(-1)?.rowKey).toBe(message.rowKey);
  theirs.closeConversation("r1");
  expect(theirs.getMessages("r1")).toEqual([]);
  mine.destroy();
  expect(mine.getConversations()).toEqual([]);
});

test("ChatManager: with another login nothing of the last user's stays open", async () => {
  const server = await plainServer();
  const service = await serviceOf(server, "ana");
  const manager = new ChatManager(service);
  await manager.initialize();
  await manager.openConversation("r1");
  await manager.sendMessage("r1", "ana's");
  await expect.poll(() => manager.getMessages("r1").length).toBe(1);
  await service.connect("ben", "ben");
  expect(manager.getMessages("r1")).toEqual([]);
  const own = manager.sendMessage("r2", "ben's");
  const told = new Promise((resolve) => void manager.on("status", ({ rowKey }) => resolve(rowKey)));
  expect(await told).toBe((await own).rowKey);
  expect(manager.getMessages("r1")).toEqual([]);
  await manager.openConversation("r1");
  await manager.sendMessage("r1", "ben's");
  await expect.poll(() => manager.getMessages("r1").map(({ senderId }) => senderId)).toContain("ben");
});

test("what P7 pushes goes through the client; what P8 broadcasts comes in its shape; calls come as they are (P11)", async () => {
  const fake = new FakeChat("phoenix", "ana");
  const service = new SocketService({ client: fake.client });
  const [room, own] = [service.channel("conversation:r1"), service.channel("user:ana")];
  await Promise.all([room.joined, own.joined]);
  // P6: the client joins these by itself.
  expect(fake.of("wire.join")).toEqual([]);
  expect(fake.of("timeline")).toEqual([["r1"]]);

  fake.receive({ id: "m7", conversationId: "r1", text: "before" });
  await room.push("message:read", { up_to: "m7" });
  void room.push("message:send", { content: "an answer", reply_to: "m7" });
  await expect.poll(() => fake.of("send")).toEqual([["r1", { text: "an answer", replyTo: "r1:m7" }, {}]]);
  await room.push("typing", { is_typing: true });
  await own.push("call:offer", { sdp: "x" });
  expect(fake.of("markRead")).toEqual([["r1", "r1:m7"]]);
  expect(fake.of("setTyping")).toEqual([["r1", true]]);
  expect(fake.of("wire.send")).toEqual([["call:offer", { sdp: "x" }, { ack: true, topic: "user:ana" }]]);
  await expect(room.push("message:send", { content: 7 })).rejects.toMatchObject({ code: "validation" });

  const told: unknown[] = [];
  const replyTo = { rowKey: "r1:m7", excerpt: "before" };
  void room.push("message:update", { id: "m7", content: "after" });
  void room.push("message:delete", { id: "m7" });
  for (const op of ["add", "remove"]) void room.push("message:react", { id: "m7", emoji: "👍", op });
  await expect.poll(() => fake.of("unreact")).toEqual([["r1:m7", "👍"]]);
  expect([fake.of("edit"), fake.of("remove")]).toEqual([[["r1:m7", "after"]], [["r1:m7"]]]);
  expect(fake.of("react")).toEqual([["r1:m7", "👍"]]);
  await expect(room.push("message:update", { content: "of what?" })).rejects.toMatchObject({
    code: "validation",
  });
  expect(fake.of("wire.send")).toHaveLength(1);
  for (const event of ["message:new", "message:delete", "message:read", "typing"]) {
    room.on(event, (payload) => told.push([event, payload]));
  }
  own.on("call:answer", (payload) => told.push(["call:answer", payload]));
  fake.receive({ id: "m8", conversationId: "other", text: "not here" });
  fake.receive({ id: "m9", conversationId: "r1", text: "here", senderId: "ben", replyTo });
  fake.emitter.emit("messageDeleted", { conversationId: "r1", rowKey: "r1:m9" });
  const { key } = await fake.send("r1", "mine");
  fake.move(key, { status: "read", id: "s1" });
  fake.setTypist("r1", "ben", true);
  fake.tellWire("call:answer", { sdp: "for another topic" });
  fake.tellWireOn("user:ana", "call:answer", { sdp: "y" });
  // The server's id of an own message is asked for.
  await vi.waitFor(() => expect(told).toHaveLength(5));
  const words = { conversation_id: "r1", sender_id: "ben", content: "here", type: "text" };
  const record = { id: "m9", ...words, reply_to: "m7", status: "acknowledged" };
  expect(told).toEqual([
    ["message:new", expect.objectContaining(record)],
    ["message:delete", { id: "m9" }],
    ["typing", { user_id: "ben", is_typing: true }],
    ["call:answer", { sdp: "y" }],
    ["message:read", { up_to: "s1" }],
  ]);
  await room.leave();
  expect(fake.of("timeline.close")).toHaveLength(fake.of("timeline").length);
  fake.receive({ id: "m10", conversationId: "r1" });
  expect(told).toHaveLength(5);
  expect(fake.of("close")).toEqual([]);
});

test("message:react of a conversation's channel: the emoji, and whose it is (D7)", async () => {
  const fake = new FakeChat("phoenix", "ana");
  const given = (emoji: string, ...users: string[]) => ({ emoji, count: users.length, mine: false, users });
  fake.receive({ id: "m1", conversationId: "r1", reactions: [given("👍", "ben")] });
  const room = new SocketService({ client: fake.client }).channel("conversation:r1");
  const told: unknown[] = [];
  for (const event of ["message:react", "message:new"]) {
    room.on(event, ({ id, ...rest }) => told.push([event, id, rest.op, rest.emoji, rest.user_id]));
  }
  await room.joined;
  // What was there when the channel was joined is no news.
  await expect.poll(() => fake.of("timeline.close")).toHaveLength(1);
  fake.setReactions("r1", "r1:m1", [given("🎉", "cleo")]);
  await expect.poll(() => told).toHaveLength(2);
  fake.receive({ id: "m2", conversationId: "r1", reactions: [given("👍", "ben")] });
  fake.receive({ id: "m3", conversationId: "other", reactions: [given("👍", "ben")] });
  await expect.poll(() => told).toHaveLength(4);
  expect(told).toEqual([
    ["message:react", "m1", "remove", "👍", "ben"],
    ["message:react", "m1", "add", "🎉", "cleo"],
    ["message:new", "m2", undefined, undefined, undefined],
    ["message:react", "m2", "add", "👍", "ben"],
  ]);
  await room.leave();
  fake.setReactions("r1", "r1:m1", []);
  expect(fake.of("timeline.close")).toHaveLength(fake.of("timeline").length);
});

test("ChatManager tells which message has other reactions, and what becomes of conversations", async () => {
  const fake = new FakeChat("phoenix", "ana");
  const manager = new ChatManager(fake.client);
  await manager.initialize();
  const told: unknown[] = [];
  manager.on("reaction", (target) => told.push(target));
  manager.on("conversation", ({ title }) => told.push(title));
  manager.on("conversationRemoved", ({ conversationId }) => told.push(conversationId));
  fake.receive({ id: "m1" });
  fake.setReactions("c1", "c1:m1", []);
  fake.setConversations({ id: "c1", title: "Crew" });
  fake.emitter.emit("conversationRemoved", { conversationId: "c1" });
  expect(told).toEqual([{ conversationId: "c1", rowKey: "c1:m1" }, "Crew", "c1"]);
});

test("the user's own topic tells conversations that are new, changed or gone, as the wire does", async () => {
  const fake = new FakeChat("phoenix", "ana");
  fake.enter("live");
  const own = new SocketService({ client: fake.client }).channel("user:ana");
  const told: unknown[] = [];
  for (const event of ["conversation:new", "conversation:update"]) {
    own.on(event, ({ conversation }) => told.push([event, conversation.title, conversation.members]));
  }
  await own.joined;
  const members = [
    { userId: "ana", name: "Ana", role: "member" as const },
    { userId: "ben", name: "Ben", role: "admin" as const },
  ];
  fake.setConversations({ id: "r1", kind: "group", title: "Team", members });
  fake.setConversations({ id: "r1", kind: "group", title: "Crew", members });
  fake.emitter.emit("conversationRemoved", { conversationId: "r1" });
  const ben = { id: "ben", name: "Ben", role: "admin" };
  const both = [{ id: "ana", name: "Ana", role: "member" }, ben];
  expect(told).toEqual([
    ["conversation:new", "Team", both],
    ["conversation:update", "Crew", both],
    ["conversation:update", "Crew", [ben]],
  ]);
});
