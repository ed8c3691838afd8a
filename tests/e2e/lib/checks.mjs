// What "nothing lost, nothing twice, in order" means, for one conversation.
import assert from "node:assert/strict";

const acknowledged = ["acknowledged", "delivered", "read"];

/** The server holds exactly these texts of this sender, once each and in this order. */
export function assertLog(log, senderId, texts) {
  assert.deepEqual(
    log.filter((row) => row.sender_id === senderId).map(({ text }) => text),
    texts,
  );
  const keys = log.map((row) => row.client_message_id);
  assert.equal(new Set(keys).size, keys.length, "a key stands twice in the server's log");
}

/** A timeline that was loaded whole shows what the server holds, in its order, own messages acknowledged. */
export function assertTimeline({ messages, hasEarlier, error }, log) {
  assert.equal(error, null);
  assert.equal(hasEarlier, false);
  assert.deepEqual(
    messages.map(({ id, text }) => ({ id, text })),
    log.map(({ id, text }) => ({ id, text })),
  );
  const open = messages.filter((m) => m.sender === "me" && !acknowledged.includes(m.status));
  assert.deepEqual(open, [], "own messages that are not acknowledged");
  const rows = messages.map((m) => m.rowKey);
  assert.equal(new Set(rows).size, rows.length, "a row stands twice in the timeline");
}

/** Each message of others was told once; live ones in the server's order, and those that were caught up, too. */
function assertTold(events, log, receiverId) {
  const of = (rows) => rows.map(({ id }) => id);
  const others = log.filter((row) => row.sender_id !== receiverId);
  assert.deepEqual(of(events.map(([message]) => message)).sort(), of(others).sort());
  for (const live of [true, false]) {
    const told = of(events.filter(([, info]) => info.live === live).map(([message]) => message));
    assert.deepEqual(
      told,
      of(others).filter((id) => told.includes(id)),
    );
  }
}

/** Both sides show the server's log of the conversation, to which each sent these texts. */
export async function assertSettled(server, { ana, ben, id }, texts) {
  const total = texts.ana.length + texts.ben.length;
  for (const person of [ana, ben]) {
    await person.untilCount(id, total);
    await person.untilFlushed([id]);
  }
  const log = await server.log(id);
  assertLog(log, ana.userId, texts.ana);
  assertLog(log, ben.userId, texts.ben);
  for (const person of [ana, ben]) {
    assertTimeline(await person.whole(id), log);
    const told = (await person.events("message")).filter(([m]) => m.conversationId === id);
    assertTold(told, log, person.userId);
  }
}

export function numbered(name, from, to) {
  return Array.from({ length: to - from + 1 }, (_, i) => `${name} ${from + i}`);
}

/** Sends one after the other; each send resolves as it is stored, not as it is answered. */
export async function sendAll(person, id, texts) {
  for (const text of texts) await person.send(id, text);
  return texts;
}
