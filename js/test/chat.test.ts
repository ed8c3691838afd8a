import { expect, test } from "vitest";
import type { Message } from "../src/index.js";
import { chatOf, next, pair, serve, until } from "./support.js";

test("a message goes from one to the other and comes back with its ticks", async () => {
  const { ana, ben, id } = await pair(await serve());
  const statuses: string[] = [];
  ana.on("status", ({ status }) => statuses.push(status));
  const heard = next(ben, "message");
  const timeline = ben.timeline(id);

  const sent = await ana.send(id, { text: "hello", metadata: { mood: ["good"] } });
  expect(sent).toMatchObject({ text: "hello", sender: "me", conversationId: id, id: null });
  expect(sent.key).toBe(sent.rowKey);
  const copy = await ana.acknowledged(sent.key ?? "");
  expect(copy.id).not.toBeNull();
  expect(copy.rowKey).toBe(sent.rowKey);

  const [message, { live }] = await heard;
  expect(message).toMatchObject({
    text: "hello",
    sender: "user",
    senderId: "ana",
    metadata: { mood: ["good"] },
  });
  expect(live).toBe(true);

  const shown = await until(timeline, ({ messages }) => messages.length === 1);
  await ben.markRead(id, shown.messages[0]?.rowKey ?? "");
  const mine = ana.timeline(id);
  await until(mine, ({ messages }) => messages[0]?.status === "read");
  expect(statuses).toEqual([...statuses].sort((a, b) => ladder.indexOf(a) - ladder.indexOf(b)));
  expect(statuses).toContain("acknowledged");
});

const ladder = ["saving", "saved", "sent", "acknowledged", "delivered", "read"];

test("a row keeps its identity until it changes, and a snapshot in which nothing changed is the same object", async () => {
  const { ana, ben, id } = await pair(await serve());
  const timeline = ana.timeline(id);
  const first = await ana.send(id, "first");
  await ana.acknowledged(first.key ?? "");
  const delivered = (row: Message | undefined) => row?.status === "delivered";
  const before = await until(timeline, ({ messages }) => delivered(messages[0]));
  expect(timeline.getSnapshot()).toBe(before);

  await ben.send(id, "second");
  const after = await until(timeline, ({ messages }) => messages.length === 2);
  expect(after).not.toBe(before);
  expect(after.messages[0]).toBe(before.messages[0]);
  expect(before.messages).toHaveLength(1);
});

test("a window opens on the newest messages, and loadEarlier widens it", async () => {
  const { ana, ben, id } = await pair(await serve());
  const texts = Array.from({ length: 70 }, (_, index) => `message ${index}`);
  const sent = await Promise.all(texts.map((text) => ana.send(id, text)));
  await Promise.all(sent.map(({ key }) => ana.acknowledged(key ?? "")));
  await until(ben.conversation(id), (conversation) => conversation?.lastMessage?.text === "message 69");

  const timeline = ben.timeline(id);
  const newest = await until(timeline, ({ messages }) => messages.length > 0);
  expect(newest.messages.map(({ text }) => text)).toEqual(texts.slice(-newest.messages.length));
  expect(newest.hasEarlier).toBe(true);
  await timeline.loadEarlier();
  const all = timeline.getSnapshot();
  expect(all.messages.map(({ text }) => text)).toEqual(texts);
  expect(all.messages.at(-1)).toBe(newest.messages.at(-1));
  expect(all.hasEarlier).toBe(false);
});

test("a timeline of an unknown conversation says so once the list is there", async () => {
  const server = await serve();
  const { ana, ben } = await pair(server);
  const group = await ana.createGroup({ title: "Plans", members: ["ana"] });
  const timeline = ben.timeline(group.id);
  const unknown = await until(timeline, ({ error }) => error !== null);
  expect(unknown).toMatchObject({
    loading: false,
    messages: [],
    error: { name: "ChatError", code: "notFound" },
  });
  await expect(ben.send(group.id, "hello")).rejects.toMatchObject({ code: "notFound" });
});

test("a closed timeline stays as it was", async () => {
  const { ana, id } = await pair(await serve());
  const timeline = ana.timeline(id);
  const other = ana.timeline(id);
  await ana.send(id, "one");
  const last = await until(timeline, ({ messages }) => messages.length === 1);
  timeline.close();
  timeline.close();
  await ana.send(id, "two");
  await until(other, ({ messages }) => messages.length === 2);
  expect(timeline.getSnapshot().messages).toEqual(last.messages);
});

test("conversations: newest first, with unread counts; the list is the same array until something in it changes", async () => {
  const server = await serve();
  const { ana, ben, id } = await pair(server);
  const group = await ana.createGroup({ title: "Plans", members: ["ben"] });
  expect(group).toMatchObject({ kind: "group", title: "Plans", myRole: "admin" });
  const list = ben.conversations();
  await until(list, (conversations) => conversations.length === 2);
  expect(list).toBe(ben.conversations());
  expect(list.getSnapshot()).toBe(list.getSnapshot());

  await ana.send(id, "one");
  await until(list, ([first]) => first?.id === id && first.unread === 1);
  await ana.send(group.id, "two");
  const [first, second] = await until(list, ([first]) => first?.id === group.id && first.unread === 1);
  expect(second).toBe(ben.conversation(id).getSnapshot());
  expect(first?.lastMessage?.text).toBe("two");
  expect(ben.conversations({ archived: true }).getSnapshot()).toEqual([]);
});

test("createDirect finds the conversation that is there", async () => {
  const { ana, ben, id } = await pair(await serve());
  expect((await ben.createDirect("ana")).id).toBe(id);
  expect((await ana.createDirect("ben")).id).toBe(id);
});

test("typing: an event, and the same array until it changes", async () => {
  const { ana, ben, id } = await pair(await serve());
  const nobody = ben.typing(id);
  const started = next(ben, "typing");
  ana.setTyping(id, true);
  expect(await started).toEqual([{ conversationId: id, userId: "ana", typing: true }]);
  expect(ben.typing(id)).toEqual(["ana"]);
  expect(ben.typing(id)).toBe(ben.typing(id));
  const stopped = next(ben, "typing", ({ typing }) => !typing);
  ana.setTyping(id, false);
  await stopped;
  expect(ben.typing(id)).toBe(nobody);
});

test("presence is told and remembered", async () => {
  const server = await serve();
  const { ana, ben } = await pair(server);
  expect(ana.presence("nobody")).toBeNull();
  const left = next(ana, "presence", ({ userId, online }) => userId === "ben" && !online);
  ben.disconnect();
  const [presence] = await left;
  expect(ana.presence("ben")).toBe(ana.presence("ben"));
  expect(ana.presence("ben")).toEqual(presence);
});

test("connected, disconnected and reconnecting follow from the connection's states", async () => {
  const server = await serve();
  const ana = await chatOf(server, "ana");
  const told: string[] = [];
  for (const event of ["connected", "disconnected", "reconnecting"] as const)
    ana.on(event, () => told.push(event));
  expect(ana.connection.state).toBe("idle");
  await ana.connect();
  expect(ana.connection).toMatchObject({ state: "online", leader: true });
  const again = next(ana, "connected");
  server.faults.dropSockets("ana");
  await again;
  expect(told).toEqual(["connected", "disconnected", "reconnecting", "connected"]);
  // The lead goes with the wish to be connected.
  const gone = next(ana, "leader", (leader) => !leader);
  ana.disconnect();
  await gone;
  expect(ana.connection).toMatchObject({ state: "closed", leader: false });
  await ana.connect();
  expect(ana.connection).toMatchObject({ state: "online", leader: true });
});

test("what is sent offline goes out, once and in order, when the connection is back", async () => {
  const server = await serve();
  const { ana, id } = await pair(server);
  const gone = next(ana, "disconnected");
  ana.disconnect();
  await gone;
  const sent = [];
  for (const text of ["a", "b", "c"]) sent.push(await ana.send(id, text));
  expect((await ana.outbox()).map(({ text }) => text)).toEqual(["a", "b", "c"]);
  expect(server.log(id)).toEqual([]);
  await ana.connect();
  await Promise.all(sent.map(({ key }) => ana.acknowledged(key ?? "")));
  expect(server.log(id).map(({ client_message_id }) => client_message_id)).toEqual(
    sent.map(({ key }) => key),
  );
  expect(await ana.outbox()).toEqual([]);
});

test("cancel takes back what has not gone out; acknowledged then rejects", async () => {
  const { ana, id } = await pair(await serve());
  const gone = next(ana, "disconnected");
  ana.disconnect();
  await gone;
  const { key } = await ana.send(id, "never mind");
  const acknowledged = expect(ana.acknowledged(key ?? "")).rejects.toMatchObject({ code: "cancelled" });
  await ana.cancel(key ?? "");
  await acknowledged;
  expect(await ana.outbox()).toEqual([]);
});

test("a refused message is failed, and can be sent again or discarded", async () => {
  const server = await serve();
  const { ana, id } = await pair(server);
  const timeline = ana.timeline(id);
  server.faults.refuseNext(2, "ForbiddenError");
  const [one, two] = [await ana.send(id, "one"), await ana.send(id, "two")];
  for (const { key } of [one, two]) {
    await expect(ana.acknowledged(key ?? "")).rejects.toMatchObject({ name: "ChatError", code: "forbidden" });
  }
  const { messages } = await until(timeline, ({ messages }) =>
    messages.every(({ status }) => status === "failed"),
  );
  expect(messages.map(({ failure }) => failure?.code)).toEqual(["forbidden", "forbidden"]);
  await ana.discard(two.key ?? "");
  await ana.resend(one.key ?? "");
  expect((await ana.acknowledged(one.key ?? "")).rowKey).toBe(one.rowKey);
  await until(timeline, ({ messages }) => messages.length === 1 && messages[0]?.status !== "failed");
  expect(server.log(id)).toHaveLength(1);
});

test("guarantees follow from what the server declares", async () => {
  const { ana } = await pair(await serve());
  expect(ana.guarantees).toMatchObject({ delivery: "exactly-once", gaps: "filled", receipts: true });
  expect(ana.guarantees).toBe(ana.guarantees);
});

test("diagnostics tell the state without tokens and texts", async () => {
  const { ana, id } = await pair(await serve());
  await ana.send(id, "a secret text");
  const text = JSON.stringify(ana.diagnostics());
  expect(text).not.toContain("user:ana");
  expect(text).not.toContain("a secret text");
});

test("wipe leaves nothing", async () => {
  const { ana, id } = await pair(await serve());
  ana.disconnect();
  await ana.send(id, "gone soon");
  await ana.wipe();
  expect(await ana.outbox()).toEqual([]);
});
