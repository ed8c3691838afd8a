// Answers that are lost, servers that end, tokens that expire: nothing lost, nothing twice, order kept, and both timelines
// show what the server holds.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { assertLog, assertSettled, assertTimeline, numbered, sendAll } from "./lib/checks.mjs";
import { Client, swift } from "./lib/client.mjs";
import { openHarness, Stage } from "./lib/stage.mjs";

let stage;
before(async () => {
  stage = await Stage.open();
});
afterEach(async () => {
  await stage.server.disarm();
  await stage.leave();
});
after(() => stage?.close());

test("a message goes from one browser to the other, and back with its ticks", async () => {
  const people = await stage.pair();
  const { ana, ben, id } = people;
  const sent = await ana.send(id, "hello");
  assert.deepEqual([sent.durable, sent.status], [true, "saved"]);
  assert.equal((await ana.call("acknowledged", sent.key)).key, sent.key);
  await ben.untilCount(id, 1);
  await ana.until(
    "delivered",
    ([id, key]) => harness.timeline(id).messages.some((m) => m.key === key && m.status === "delivered"),
    [id, sent.key],
  );
  const { messages } = await ben.timeline(id);
  await ben.call("markRead", id, messages[0].rowKey);
  await ana.until(
    "read",
    ([id, key]) => harness.timeline(id).messages.some((m) => m.key === key && m.status === "read"),
    [id, sent.key],
  );
  await assertSettled(stage.server, people, { ana: ["hello"], ben: [] });
});

test("lose_ack: the server stored it, cut the connection and never answered", async () => {
  const people = await stage.pair();
  const { ana, ben, id } = people;
  for (let strike = 0; strike < 3; strike++) {
    await stage.server.fault({ fault: "lose_ack", user: ana.userId, skip: 2 * strike + 1 });
  }
  const texts = await sendAll(ana, id, numbered("ana", 1, 20));
  const replies = await sendAll(ben, id, numbered("ben", 1, 5));
  await assertSettled(stage.server, people, { ana: texts, ben: replies });
  const closes = await ana.facts("socketClosed");
  assert.ok(closes.length >= 1, "no connection was cut: the fault did not strike");
});

test("withhold_ack: the server stored it and says nothing; its copy acknowledges", async () => {
  const people = await stage.pair();
  const { ana, id } = people;
  await stage.server.fault({ fault: "withhold_ack", user: ana.userId, skip: 3, count: 2 });
  const texts = await sendAll(ana, id, numbered("ana", 1, 12));
  await assertSettled(stage.server, people, { ana: texts, ben: [] });
  const [sent, answered] = [await ana.facts("frameOut"), await ana.facts("answerIn")];
  assert.equal(sent.length - answered.length, 2, "the fault did not strike");
});

for (const signal of ["SIGTERM", "SIGKILL"]) {
  test(`the server is restarted (${signal}) under two clients that go on sending`, async () => {
    const people = await stage.pair();
    const { ana, ben, id } = people;
    const [a, b] = [numbered("ana", 1, 20), numbered("ben", 1, 20)];
    const first = Promise.all([sendAll(ana, id, a), sendAll(ben, id, b)]);
    await ana.until("an answer", () => harness.facts.some((fact) => fact.kind === "answerIn"));
    await stage.server.kill(signal);
    await first;
    for (const person of [ana, ben]) {
      await person.until("the loss", () => harness.connection().state !== "online");
    }
    const [a2, b2] = [numbered("ana", 21, 40), numbered("ben", 21, 40)];
    const second = Promise.all([sendAll(ana, id, a2), sendAll(ben, id, b2)]);
    await stage.server.start();
    await second;
    await assertSettled(stage.server, people, { ana: [...a, ...a2], ben: [...b, ...b2] });
  });
}

for (const fault of ["crash_before_store", "crash_after_store", "crash_after_ack"]) {
  test(`${fault}: the server aborts in mid-flush`, async () => {
    const people = await stage.pair();
    const { ana, id } = people;
    await stage.server.fault({ fault, user: ana.userId, skip: 4 });
    const texts = await sendAll(ana, id, numbered("ana", 1, 15));
    await stage.server.ended();
    await stage.server.start();
    await assertSettled(stage.server, people, { ana: texts, ben: [] });
  });
}

test("a token that expires in mid-flush is refreshed, and the flush goes on", async () => {
  const people = await stage.pair();
  const { ana, id } = people;
  await stage.server.fault({ fault: "delay_ack", user: ana.userId, ms: 30, count: 40 });
  const texts = await sendAll(ana, id, numbered("ana", 1, 40));
  await ana.until("some answers", () => harness.facts.filter((f) => f.kind === "answerIn").length >= 3);
  await stage.server.fault({ fault: "expire_tokens" });
  await assertSettled(stage.server, people, { ana: texts, ben: [] });
  const reasons = (await ana.facts("token")).map((fact) => fact.reason);
  assert.deepEqual(reasons.slice(0, 1), ["connect"]);
  assert.ok(reasons.includes("refused"), `tokens were asked for because of ${reasons}`);
  assert.deepEqual(await ana.events("authError"), []);
});

test("tokens that live two seconds: messages over three lives", async (t) => {
  const brief = await Stage.open({ args: ["--token-ttl", "2"] });
  t.after(() => brief.close());
  const { ana, ben, id } = await brief.pair();
  const texts = [];
  // Until the server has cut both often enough: every send in between counts.
  while ((await ana.facts("socketClosed")).length < 3) {
    const text = `ana ${texts.length + 1}`;
    const { key } = await ana.send(id, text);
    await ana.call("acknowledged", key);
    texts.push(text);
  }
  await ben.untilCount(id, texts.length);
  const log = await brief.server.log(id);
  assertLog(log, ana.userId, texts);
  for (const person of [ana, ben]) assertTimeline(await person.whole(id), log);
});

// Private mode of one window, a policy, a full disk at the wrong moment: what such a tab sends no other tab can read.
test("a tab that is refused the store is on its own beside one that has it", async () => {
  const login = await stage.loginOf("ana without a store");
  const profile = await stage.profile();
  const open = async (denied) => {
    const page = await profile.newPage();
    if (denied) {
      await page.addInitScript(() => {
        const get = () => {
          throw new DOMException("refused", "SecurityError");
        };
        Object.defineProperty(globalThis, "indexedDB", { configurable: true, get });
      });
    }
    await openHarness(page, stage.page.url);
    return Client.on(page, swift(stage.server.url, login));
  };
  const stored = await open(false);
  await stored.connect();
  const ben = await stage.person("ben beside two tabs");
  await ben.connect();
  const { id } = await stored.call("createDirect", ben.userId);
  const denied = await open(true);
  await denied.connect();
  const [degraded] = await denied.events("storageDegraded");
  assert.equal(degraded[0].persistent, false);
  const texts = [];
  for (const [tab, durable] of [
    [denied, false],
    [stored, true],
    [denied, false],
  ]) {
    const text = `message ${texts.length + 1}`;
    const sent = await tab.send(id, text);
    assert.equal(sent.durable, durable);
    assert.equal((await tab.call("acknowledged", sent.key)).text, text);
    texts.push(text);
  }
  for (const person of [stored, denied, ben]) await person.untilCount(id, texts.length);
  const log = await stage.server.log(id);
  assertLog(log, login.id, texts);
  for (const person of [stored, denied, ben]) assertTimeline(await person.whole(id), log);
  assert.deepEqual(await denied.events("error"), []);
});
