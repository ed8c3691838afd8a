// The `assistant` profile in a real browser against our endpoint, with what is **ours** and without it.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Stage } from "./lib/stage.mjs";

const room = "assistant";

let stage;
before(async () => {
  stage = await Stage.open();
});
afterEach(async () => {
  await stage.server.disarm();
  await stage.leave();
});
after(() => stage?.close());

const person = (name, options = {}) =>
  stage.person(name, { profile: "assistant", url: stage.server.assistant, ...options });

/** Whoever has said something in the assistant's conversation, and what. */
const said = async (user) =>
  (await stage.server.log(`assistant:${user.userId}`)).map(({ sender_id, text }) => [
    sender_id === user.userId ? "me" : sender_id,
    text,
  ]);

for (const tokenIn of ["subprotocol", "firstFrame", "query"]) {
  test(`connect, send, ack, typing, answers; the token in ${tokenIn} (A1 to A6, D9)`, async () => {
    const ana = await person(`ana ${tokenIn}`, { tokenIn });
    await ana.connect();
    const { key } = await ana.send(room, "héllo 👋");
    const copy = await ana.call("acknowledged", key);
    assert.deepEqual([copy.text, copy.status, copy.id === null], ["héllo 👋", "acknowledged", false]);
    assert.equal((await ana.page.evaluate(() => harness.guarantees())).delivery, "exactly-once");
    await ana.untilCount(room, 3);
    const { messages } = await ana.timeline(room);
    assert.deepEqual(
      messages.map(({ sender }) => sender),
      ["me", "ai", "ai"],
    );
    assert.equal(messages[2].metadata.sources.length, 1);
    const typing = (await ana.events("typing")).map(([{ typing }]) => typing);
    assert.deepEqual(typing.slice(0, 2), [true, false]);
    assert.deepEqual(await ana.events("protocolError"), []);
    assert.deepEqual(await ana.events("error"), []);
  });
}

test("what is sent while the server is away arrives once (A4, A12)", async () => {
  const ana = await person("ana away");
  await ana.connect();
  await stage.server.kill();
  const { key } = await ana.send(room, "are you there?");
  await stage.server.start();
  await ana.call("acknowledged", key);
  await ana.untilCount(room, 3);
  assert.deepEqual(
    (await said(ana)).filter(([who]) => who === "me"),
    [["me", "are you there?"]],
  );
});

test("without keys, acks and pongs: a message is sent, and its answers come (A5, A6, A10)", async () => {
  const ana = await person("ana plain", { url: stage.server.plain.assistant });
  await ana.connect();
  assert.equal((await ana.page.evaluate(() => harness.guarantees())).delivery, "at-most-once");
  const { key } = await ana.send(room, "hello");
  const copy = await ana.call("acknowledged", key);
  assert.deepEqual([copy.status, copy.id], ["sent", null]);
  await ana.untilCount(room, 3);
  assert.deepEqual(
    (await said(ana)).filter(([who]) => who === "me"),
    [["me", "hello"]],
  );
});

test("somebody else's token goes nowhere (A1, D6)", async () => {
  const ben = await stage.loginOf("ben other");
  const ana = await person("ana other", { userId: ben.id, reconnect: { baseDelayMs: 20, maxAttempts: 3 } });
  await assert.rejects(ana.connect(), { code: "server" });
});
