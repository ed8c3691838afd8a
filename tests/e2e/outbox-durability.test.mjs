// 100 messages queued without a connection, the browser killed as by a power cut, started again: all of them arrive once
// and in order. And the store is asked for durability in words.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { KillableBrowser } from "./lib/browser.mjs";
import { assertLog, assertTimeline } from "./lib/checks.mjs";
import { Client, swift } from "./lib/client.mjs";
import { Stage } from "./lib/stage.mjs";

const count = 100;
const texts = Array.from({ length: count }, (_, i) => `queued ${i + 1}`);

let stage;
let mortal;
before(async () => {
  // A browser that says it is offline is believed when the next ping stays out.
  stage = await Stage.open({ args: ["--ping-interval-ms", "1500", "--ping-timeout-ms", "1500"] });
  mortal = await KillableBrowser.create();
});
after(async () => {
  await mortal?.remove();
  await stage?.close();
});

const open = async (name) => {
  const login = { origin: stage.server.origin, name, id: await stage.idOf(name) };
  return Client.on(await mortal.open(stage.page.url), swift(stage.server.url, login));
};

/** A direct conversation with ben, known to the browser's store. */
async function meet(ana, ben) {
  await ana.connect();
  const { id } = await ana.call("createDirect", await stage.idOf(ben));
  return id;
}

async function assertAllArrive(ana, id) {
  await ana.connect();
  await ana.untilCount(id, count);
  await ana.untilFlushed([id]);
  const log = await stage.server.log(id);
  assertLog(log, ana.userId, texts);
  assertTimeline(await ana.whole(id), log);
}

test("100 messages queued with the server down, SIGKILL, restart: exactly once, in order", async () => {
  const before = await open("ana");
  await stage.idOf("ben");
  const id = await meet(before, "ben");
  await stage.server.kill();
  await before.until("the loss", () => harness.connection().state !== "online");
  for (const text of texts) assert.equal((await before.send(id, text)).durable, true);
  await mortal.kill();

  await mortal.start();
  await stage.server.start();
  const ana = await open("ana");
  assert.equal((await ana.call("outbox")).length, count, "the store gives the queue back before any network");
  await assertAllArrive(ana, id);

  // Once more over the same profile: what was acknowledged stays so, without being sent again.
  await mortal.kill();
  await mortal.start();
  const again = await open("ana");
  await again.untilCount(id, 50);
  assert.deepEqual(await again.call("outbox"), []);
  assertTimeline(await again.whole(id), await stage.server.log(id));
});

test("100 messages queued in an offline browser, SIGKILL, restart: exactly once, in order", async () => {
  const before = await open("cleo");
  await stage.idOf("ben");
  const id = await meet(before, "ben");
  await before.page.context().setOffline(true);
  await before.until("offline", () => harness.connection().state === "offline");
  for (const text of texts) assert.equal((await before.send(id, text)).durable, true);
  await mortal.kill();

  await mortal.start();
  await assertAllArrive(await open("cleo"), id);
});

test("100 messages queued by a client that never connected again, SIGKILL", async () => {
  const first = await open("dora");
  await stage.idOf("ben");
  const id = await meet(first, "ben");
  await first.call("close");
  const before = await open("dora");
  for (const text of texts) assert.equal((await before.send(id, text)).durable, true);
  await mortal.kill();

  await mortal.start();
  await assertAllArrive(await open("dora"), id);
});
