// The `phoenix` profile in a real browser against our endpoint, which is held to recorded frames of real Phoenix servers.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { assertSettled, assertTimeline, numbered, sendAll } from "./lib/checks.mjs";
import { Stage } from "./lib/stage.mjs";

let stage;
let wire;
before(async () => {
  stage = await Stage.open();
  // A browser that is told to be offline may not hear that its socket was cut: then silence tells.
  const heartbeat = { intervalMs: 2_000, timeoutMs: 2_000 };
  wire = { profile: "phoenix", url: stage.server.phoenix, heartbeat };
});
afterEach(async () => {
  await stage.server.disarm();
  await stage.leave();
});
after(() => stage?.close());

const shows = (person, what, id, key, isTrue) =>
  person.until(
    what,
    ([id, key, isTrue]) => {
      const row = harness.timeline(id).messages.find((m) => m.key === key || m.text === key);
      return row !== undefined && new Function("row", `return ${isTrue}`)(row);
    },
    [id, key, isTrue],
  );

test("connect, send, receive, typing, read, presence (P1, P6 to P8, P5)", async () => {
  const { ana, ben, id } = await stage.pair(wire);
  assert.equal((await ana.page.evaluate(() => harness.guarantees())).delivery, "exactly-once");
  const { key } = await ana.send(id, "héllo 👋");
  const copy = await ana.call("acknowledged", key);
  assert.deepEqual([copy.text, copy.status], ["héllo 👋", "acknowledged"]);
  await ben.untilCount(id, 1);
  const { messages } = await ben.timeline(id);
  await ben.call("markRead", id, messages[0].rowKey);
  await shows(ana, "read", id, key, 'row.status === "read"');
  await ben.call("setTyping", id, true);
  await ana.until("typing", () => harness.events.some(({ event }) => event === "typing"));
  await ana.until(
    "presence of both",
    () => harness.events.filter(({ event }) => event === "presence").length > 1,
  );
  await assertSettled(stage.server, { ana, ben, id }, { ana: ["héllo 👋"], ben: [] });
});

test("edits, reactions and removals go as pushes and reach the other side (D7)", async () => {
  const { ana, ben, id } = await stage.pair(wire);
  const { key } = await ana.send(id, "helo");
  await ana.call("edit", key, "hello");
  await ben.untilCount(id, 1);
  await shows(ben, "the edit", id, "hello", "row.editedAt !== null");
  const { messages } = await ben.timeline(id);
  await ben.call("react", messages[0].rowKey, "👍");
  await shows(ana, "the reaction", id, key, "row.reactions.length === 1");
  await ben.call("unreact", messages[0].rowKey, "👍");
  await shows(ana, "no reaction", id, key, "row.reactions.length === 0");
  await ana.call("remove", key);
  await ben.until(
    "the removal",
    (id) => harness.timeline(id).messages.every((m) => m.deletedAt !== null && m.text === ""),
    id,
  );
});

test("a reader who has come as far as a message has read what stands before it (P7, P8)", async () => {
  const { ana, ben, id } = await stage.pair(wire);
  await sendAll(ana, id, numbered("ana", 1, 6));
  await ben.untilCount(id, 6);
  const { messages } = await ben.timeline(id);
  await ben.call("markRead", id, messages[3].rowKey);
  const read = (count) => [
    `${count} read`,
    ([id, count]) => harness.timeline(id).messages.filter((m) => m.status === "read").length === count,
    [id, count],
  ];
  await ana.until(...read(4));
  await ben.page.context().setOffline(true);
  await stage.server.fault({ fault: "drop_sockets", user: ben.userId });
  await ben.until("the loss", () => harness.connection().state !== "online");
  await ben.call("markRead", id, messages[5].rowKey);
  await ben.page.context().setOffline(false);
  await ana.until(...read(6));
});

test("what is sent offline goes when the network is back, and what was missed is caught up (P9, P10)", async () => {
  const { ana, ben, id } = await stage.pair(wire);
  const first = await sendAll(ana, id, numbered("ana", 1, 5));
  await ben.untilCount(id, 5);
  await ben.page.context().setOffline(true);
  await stage.server.fault({ fault: "drop_sockets", user: ben.userId });
  await ben.until("the loss", () => harness.connection().state !== "online");
  const missed = await sendAll(ana, id, numbered("ana", 6, 300));
  const queued = await sendAll(ben, id, numbered("ben", 1, 10));
  await ana.untilFlushed([id]);
  await ben.page.context().setOffline(false);
  await ben.untilState("online");
  await assertSettled(stage.server, { ana, ben, id }, { ana: [...first, ...missed], ben: queued });
});

test("a new device catches up by marks from the first message on, page by page", async () => {
  const { ana, ben, id } = await stage.pair(wire);
  const texts = await sendAll(ana, id, numbered("ana", 1, 600));
  await ana.untilFlushed([id]);
  const other = await stage.client({ ...ben.options });
  await other.connect();
  await other.untilConversation(id);
  await other.untilCount(id, texts.length);
  assertTimeline(await other.whole(id), await stage.server.log(id));
  // Of a history that is met for the first time no more than the newest page is told.
  assert.ok((await other.events("message")).length <= 500);
});

for (const fault of ["lose_ack", "withhold_ack"]) {
  test(`${fault}: what was stored and not answered is stored once`, async () => {
    const people = await stage.pair({ ...wire, outbox: { ackTimeoutMs: 1500 } });
    const { ana, id } = people;
    await stage.server.fault({ fault, user: ana.userId, skip: 3, count: 2 });
    const texts = await sendAll(ana, id, numbered("ana", 1, 12));
    await assertSettled(stage.server, people, { ana: texts, ben: [] });
  });
}

for (const signal of ["SIGTERM", "SIGKILL"]) {
  test(`the server is restarted (${signal}) under two clients that go on sending (X9)`, async () => {
    const people = await stage.pair(wire);
    const { ana, ben, id } = people;
    const [a, b] = [numbered("ana", 1, 20), numbered("ben", 1, 20)];
    await Promise.all([sendAll(ana, id, a), sendAll(ben, id, b)]);
    await stage.server.kill(signal);
    for (const person of [ana, ben]) {
      await person.until("the loss", () => harness.connection().state !== "online");
    }
    const [a2, b2] = [numbered("ana", 21, 40), numbered("ben", 21, 40)];
    await Promise.all([sendAll(ana, id, a2), sendAll(ben, id, b2)]);
    await stage.server.start();
    await assertSettled(stage.server, people, { ana: [...a, ...a2], ben: [...b, ...b2] });
  });
}

test("a refused upgrade asks for a fresh token, and the connection goes on (X9)", async () => {
  const people = await stage.pair(wire);
  const { ana, id } = people;
  const first = await sendAll(ana, id, numbered("ana", 1, 10));
  await stage.server.fault({ fault: "expire_tokens" });
  const second = await sendAll(ana, id, numbered("ana", 11, 20));
  await assertSettled(stage.server, people, { ana: [...first, ...second], ben: [] });
});

test("a token by URL parameter, where that is asked for by name (X1)", async () => {
  const ana = await stage.person("query", { ...wire, tokenIn: "query" });
  await ana.connect();
  assert.equal((await ana.connection()).state, "online");
});

test("a link that is dead without a word is found within its time (X7)", async () => {
  let hole = false;
  const prepare = (page) =>
    page.routeWebSocket(/phoenix\/websocket/, (ws) => {
      const server = ws.connectToServer();
      ws.onMessage((message) => hole || server.send(message));
      server.onMessage((message) => hole || ws.send(message));
    });
  const ana = await stage.person("half-open", {
    ...wire,
    heartbeat: { intervalMs: 1000, timeoutMs: 1000 },
    prepare,
  });
  await ana.connect();
  hole = true;
  const began = performance.now();
  await ana.until("the loss", () => harness.connection().state !== "online");
  const took = performance.now() - began;
  assert.ok(took < 3500, `${took} ms`);
  hole = false;
  await ana.untilState("online");
});

test("one conversation over two wires", async () => {
  const ana = await stage.person("over phoenix", wire);
  const ben = await stage.person("over team");
  await Promise.all([ana.connect(), ben.connect()]);
  const { id } = await ana.call("createDirect", ben.userId);
  await ben.untilConversation(id);
  const texts = {
    ana: await sendAll(ana, id, numbered("ana", 1, 5)),
    ben: await sendAll(ben, id, numbered("ben", 1, 5)),
  };
  await assertSettled(stage.server, { ana, ben, id }, texts);
});

test("events of the backend's own carry bytes and topics (X10)", async () => {
  const { ana, id } = await stage.pair(wire);
  const topic = `conversation:${id}`;
  const { key } = await ana.send(id, "so that the topic is joined");
  await ana.call("acknowledged", key);
  const echoed = await ana.page.evaluate(async (topic) => {
    const answer = await harness.wire().send("test:echo", new Uint8Array([0, 1, 255]), { ack: true, topic });
    return [...answer];
  }, topic);
  assert.deepEqual(echoed, [0, 1, 255]);
  const told = await ana.page.evaluate(async (topic) => {
    const told = new Promise((resolve) => {
      harness.wire().once("test:pushed", (payload, context) => resolve([[...payload], context.topic]));
    });
    await harness.wire().send("test:push", new Uint8Array([7, 8]), { topic });
    return told;
  }, topic);
  assert.deepEqual(told, [[7, 8], topic]);
  // What crashes its channel comes to an end, and the channel to life again.
  await assert.rejects(
    ana.page.evaluate((topic) => harness.wire().send("no:such", {}, { ack: true, topic }), topic),
  );
  const { key: next } = await ana.send(id, "behind the crash");
  await ana.call("acknowledged", next);
});
