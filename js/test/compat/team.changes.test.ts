// What a team's socket tells of changes (D4), and what it says of messages that are read (T2): in every tab, and offline.
import { expect, onTestFinished, test } from "vitest";
import { TeamSocket } from "../../src/compat/index.js";
import type { Reaction } from "../../src/index.js";
import { FakeChat } from "../fake.js";
import { chatOf, optionsFor, serve, until } from "../support.js";

const given = (emoji: string, ...users: string[]): Reaction => ({
  emoji,
  count: users.length,
  mine: users.includes("ana"),
  users,
});

function started() {
  const fake = new FakeChat("team", "ana");
  // As in a tab that follows: what comes is told, and nothing of the backend's own.
  fake.show({ state: "online", leader: false });
  return { fake, socket: new TeamSocket({ client: fake.client }) };
}

function gather(socket: TeamSocket, event: string): unknown[] {
  const told: unknown[] = [];
  socket.on(event, (payload) => told.push(payload));
  return told;
}

test("a reaction that comes, and one that goes, with its emoji and whose it is (D4)", async () => {
  const { fake, socket } = started();
  const told = gather(socket, "chat:reaction");
  fake.receive({ id: "m1" });
  const add = (emoji: string, userId: string) => ({ messageId: "m1", emoji, userId, op: "add" });
  fake.setReactions("c1", "c1:m1", [given("👍", "ben")]);
  await expect.poll(() => told).toEqual([add("👍", "ben")]);
  // Several that are told before they are looked at.
  fake.setReactions("c1", "c1:m1", [given("👍", "ben", "cleo")]);
  fake.setReactions("c1", "c1:m1", [given("👍", "cleo"), given("🎉", "ana")]);
  await expect.poll(() => told.length).toBe(4);
  expect(told.slice(1)).toEqual([{ ...add("👍", "ben"), op: "remove" }, add("👍", "cleo"), add("🎉", "ana")]);
  expect(fake.of("timeline.close")).toHaveLength(fake.of("timeline").length);
});

test("reactions: what a message comes with is told, and of one that is not remembered all that it has", async () => {
  const { fake, socket } = started();
  // Nobody listens: it is not looked at.
  fake.receive({ id: "m1" });
  fake.setReactions("c1", "c1:m1", [given("👍", "ben")]);
  expect(fake.of("timeline")).toEqual([]);
  const told = gather(socket, "chat:reaction");
  fake.receive({ id: "m2", reactions: [given("🎉", "cleo")] });
  await Promise.resolve();
  expect(told).toEqual([{ messageId: "m2", emoji: "🎉", userId: "cleo", op: "add" }]);
  fake.setReactions("c1", "c1:m1", [given("👍", "ben", "cleo")]);
  await expect.poll(() => told.length).toBe(3);
  expect(told.slice(1)).toEqual([
    { messageId: "m1", emoji: "👍", userId: "ben", op: "add" },
    { messageId: "m1", emoji: "👍", userId: "cleo", op: "add" },
  ]);
});

test("the newest message of each conversation is remembered as it was listed", async () => {
  const fake = new FakeChat("team", "ana");
  const lastMessage = fake.receive({ id: "m1", reactions: [given("👍", "ben")] });
  fake.setConversations({ id: "c1", lastMessage });
  const told = gather(new TeamSocket({ client: fake.client }), "chat:reaction");
  fake.setReactions("c1", "c1:m1", []);
  await expect.poll(() => told).toEqual([{ messageId: "m1", emoji: "👍", userId: "ben", op: "remove" }]);
});

test("a conversation that is new, changed or gone; not the first list, and nothing of one's own (D4)", async () => {
  const { fake, socket } = started();
  const told = gather(socket, "chat:conversation_updated");
  const members = [
    { userId: "ana", name: "Ana", role: "member" as const },
    { userId: "ben", name: "Ben", role: "admin" as const },
  ];
  const group = { id: "c1", kind: "group" as const, title: "Team", members };
  fake.setConversations(group);
  fake.enter("live");
  fake.setConversations(group);
  await Promise.resolve();
  fake.setConversations({ ...group, unread: 3, draft: "x" });
  expect(told).toEqual([]);
  fake.setConversations({ ...group, title: "Crew" }, { id: "c2" });
  const participants = [
    { user_id: "ana", username: "Ana", role: "member" },
    { user_id: "ben", username: "Ben", role: "admin" },
  ];
  const crew = {
    id: "c1",
    type: "group",
    title: "Crew",
    avatar_url: null,
    unread_count: 0,
    last_message: null,
  };
  expect(told).toEqual([
    { conversation: { ...crew, participants } },
    { conversation: expect.objectContaining({ id: "c2", type: "direct" }) },
  ]);
  fake.emitter.emit("conversationRemoved", { conversationId: "c1" });
  expect(told[2]).toEqual({ conversation: { ...crew, participants: participants.slice(1) } });
});

test("events of the backend's own come as Socket.IO gives them: what asks for an answer with a function, and no more (C4, E7)", () => {
  const { fake, socket } = started();
  const told: unknown[] = [];
  socket.on("test:news", (...values) => told.push(values));
  socket.on("test:ask", (question, answer) => answer(question, "yes"));
  fake.tellWire("test:news", { n: 1 }, 2);
  // Another namespace is another socket.
  fake.tellWireOn("/admin", "test:news", { n: 3 });
  fake.askWire("test:ask", ["there?"], (...values) => told.push(values));
  expect(told).toEqual([
    [{ n: 1 }, 2],
    ["there?", "yes"],
  ]);
});

test("an own message gets the server's id, or is marked as failed (T14, T16)", async () => {
  const { fake, socket } = started();
  const told = gather(socket, "chat:message_status_updated");
  const errors = gather(socket, "error");
  await fake.send("c1", "one");
  await fake.send("c1", "two");
  fake.move("k1", { status: "acknowledged", id: "m1" });
  await expect.poll(() => told).toEqual([{ messageId: "m1", tempId: "k1", status: "sent" }]);
  const failure = { code: "forbidden", message: "not a participant", retryable: false } as const;
  fake.move("k2", { status: "failed", failure });
  await expect.poll(() => told[1]).toEqual({ messageId: "k2", tempId: "k2", status: "failed" });
  expect(errors).toMatchObject([{ code: "forbidden", message: "not a participant" }]);
});

test("chat:message_read of a message that is known goes through the client, offline too (T2)", async () => {
  const { fake, socket } = started();
  const asked = (messageId: string | number, rest = {}) =>
    new Promise((resolve) => socket.emit("chat:message_read", { messageId, ...rest }, resolve));
  fake.show({ state: "offline" });
  fake.receive({ id: "m1", conversationId: "c1" });
  expect(await asked("m1")).toEqual({ success: true });
  // From before this page: the list tells, or what is unread, or the application.
  const listed = new FakeChat().receive({ id: "7", conversationId: "c3" });
  fake.receive({ id: "m2", conversationId: "c2" });
  fake.receive({ id: "7", conversationId: "c3" });
  fake.setConversations({ id: "c1" }, { id: "c2", unread: 1 }, { id: "c3", lastMessage: listed });
  const another = new TeamSocket({ client: fake.client });
  const read = (payload: object) =>
    new Promise((resolve) => another.emit("chat:message_read", payload as never, resolve));
  expect(await read({ messageId: "m2" })).toEqual({ success: true });
  expect(await read({ messageId: 7 })).toEqual({ success: true });
  expect(await read({ messageId: "m1", conversationId: "c1" })).toEqual({ success: true });
  expect(fake.of("markRead")).toEqual([
    ["c1", "c1:m1"],
    ["c2", "c2:m2"],
    ["c3", "c3:7"],
    ["c1", "c1:m1"],
  ]);
  expect(fake.of("wire.send")).toEqual([]);
  // What nobody knows here goes as it is.
  await asked("m9");
  expect(fake.of("wire.send")).toEqual([["chat:message_read", { messageId: "m9" }, { ack: true }]]);
});

test("reactions, groups and receipts between two people, against the official server (T2, T7, T13, D4)", async () => {
  const server = await serve();
  const ben = await chatOf(server, "ben");
  await ben.connect();
  const { id } = await ben.createDirect("ana");
  const { getToken: _, profile: _team, ...options } = optionsFor(server, "ana");
  const socket = new TeamSocket({ ...options, token: "user:ana" });
  onTestFinished(() => socket.close());
  const reactions = gather(socket, "chat:reaction");
  const conversations = gather(socket, "chat:conversation_updated") as { conversation: { title: string } }[];
  await socket.connect();
  const ana = await socket.client();
  await until(ana.conversation(id), (conversation) => conversation !== null);

  const sent = await ana.send(id, "hello");
  const { id: messageId } = await ana.acknowledged(sent.key);
  const window = ben.timeline(id);
  const shown = await until(window, ({ messages }) => messages.length > 0);
  const rowKey = shown.messages[0]?.rowKey ?? "";
  await ben.react(rowKey, "👍");
  await expect.poll(() => reactions).toEqual([{ messageId, emoji: "👍", userId: "ben", op: "add" }]);
  await ben.unreact(rowKey, "👍");
  await expect.poll(() => reactions[1]).toEqual({ messageId, emoji: "👍", userId: "ben", op: "remove" });

  await ben.createGroup({ title: "Crew", members: ["ana", "cleo"] });
  await expect.poll(() => conversations.map(({ conversation }) => conversation.title)).toEqual(["Crew"]);

  socket.disconnect();
  const again = await ben.send(id, "are you there?");
  const { id: unread } = await ben.acknowledged(again.key);
  await socket.connect();
  await until(ana.conversation(id), (conversation) => conversation?.lastMessage?.id === unread);
  socket.disconnect();
  socket.emit("chat:message_read", { messageId: unread });
  await until(ana.conversation(id), (conversation) => conversation?.unread === 0);
  await socket.connect();
  await until(window, ({ messages }) => messages.some((m) => m.id === unread && m.status === "read"));
});
