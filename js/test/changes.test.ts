import { expect, test } from "vitest";
import { chatOf, next, pair, serve, until } from "./support.js";

test("an own message is edited, gets reactions and is removed, on both sides", async () => {
  const { ana, ben, id } = await pair(await serve());
  const [mine, theirs] = [ana.timeline(id), ben.timeline(id)];
  const sent = await ana.send(id, "helo");
  const edit = await ana.edit(sent.rowKey, "hello");
  expect(edit).toMatchObject({ text: "hello", change: { kind: "edit", rowKey: sent.rowKey } });
  expect(mine.getSnapshot().messages[0]?.change).toBeUndefined();
  expect(await ana.acknowledged(edit.key)).toMatchObject({ rowKey: sent.rowKey, text: "hello" });
  const edited = await until(theirs, ({ messages }) => messages[0]?.text === "hello");
  expect(edited.messages[0]?.editedAt).not.toBeNull();

  const rowKey = edited.messages[0]?.rowKey ?? "";
  await ben.react(rowKey, "👍");
  const reacted = await until(mine, ({ messages }) => messages[0]?.reactions.length === 1);
  expect(reacted.messages[0]?.reactions).toEqual([{ emoji: "👍", count: 1, mine: false, users: ["ben"] }]);
  await ben.unreact(rowKey, "👍");
  await until(mine, ({ messages }) => messages[0]?.reactions.length === 0);
  await expect(ben.edit(rowKey, "mine")).rejects.toMatchObject({ code: "forbidden" });

  await ana.remove(sent.rowKey);
  const removed = await until(theirs, ({ messages }) => messages[0]?.deletedAt !== null);
  expect(removed.messages[0]?.text).toBe("");
  await expect(ana.edit(sent.rowKey, "again")).rejects.toMatchObject({ code: "conflict" });
  await expect(ana.react("nobody", "👍")).rejects.toMatchObject({ code: "notFound" });
  await expect(ana.edit(sent.rowKey, "")).rejects.toMatchObject({ code: "validation" });
  await expect(ana.react(sent.rowKey, "x".repeat(65))).rejects.toMatchObject({ code: "validation" });
});

test("before there is a connection a message is edited and removed: it is sent, and its changes follow", async () => {
  const server = await serve();
  const { ana, ben, id } = await pair(server);
  ana.disconnect();
  const [first, second] = [await ana.send(id, "first"), await ana.send(id, "second")];
  await ana.edit(first.rowKey, "first, edited");
  await ana.remove(second.rowKey);
  expect((await ana.outbox()).map(({ change }) => change?.kind)).toEqual([
    undefined,
    undefined,
    "edit",
    "remove",
  ]);
  await ana.connect();
  const timeline = ben.timeline(id);
  const shown = await until(
    timeline,
    ({ messages }) => messages[1]?.deletedAt != null && messages[0]?.editedAt != null,
  );
  expect(shown.messages.map(({ text }) => text)).toEqual(["first, edited", ""]);
});

test("what has been removed takes no change", async () => {
  const { ana, ben, id } = await pair(await serve());
  const timeline = ana.timeline(id);
  const theirs = await ben.send(id, "theirs");
  await ben.acknowledged(theirs.key);
  const shown = await until(timeline, ({ messages }) => messages.length === 1);
  await ben.remove(theirs.rowKey);
  await until(timeline, ({ messages }) => messages[0]?.deletedAt !== null);
  await expect(ana.react(shown.messages[0]?.rowKey ?? "", "👍")).rejects.toMatchObject({ code: "conflict" });
  expect(await ana.outbox()).toEqual([]);
});

test("a message is forwarded with its type and metadata", async () => {
  const server = await serve();
  const { ana, ben, id } = await pair(server);
  const cleo = await chatOf(server, "cleo");
  await cleo.connect();
  const other = await ana.createDirect("cleo");
  const photo = await ben.send(id, { text: "sea", type: "image", metadata: { width: 3 } });
  await ben.acknowledged(photo.key);
  const timeline = ana.timeline(id);
  const { messages } = await until(timeline, (shown) => shown.messages.length === 1);
  const heard = next(cleo, "message");
  const copy = await ana.forward(messages[0]?.rowKey ?? "", other.id);
  expect(copy).toMatchObject({ conversationId: other.id, sender: "me" });
  const [message] = await heard;
  expect(message).toMatchObject({ text: "sea", type: "image", metadata: { width: 3 }, senderId: "ana" });
});
