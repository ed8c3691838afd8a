// What the browser's storage does for real: a quota that is reached, other users of the machine, a wipe.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, afterEach, before, test } from "node:test";
import { Client, swift } from "./lib/client.mjs";
import { Stage } from "./lib/stage.mjs";

let stage;
before(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.leave());
after(() => stage?.close());

const databases = (page) =>
  page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name).sort());

/** The keys of the history in this user's database that begin so. */
const keysOf = (page, prefix) =>
  page.evaluate(async (prefix) => {
    const settled = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const names = (await indexedDB.databases()).map(({ name }) => name);
    const db = await settled(indexedDB.open(names.find((name) => name.startsWith("chatwire-"))));
    const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
    const keys = await settled(db.transaction("history").objectStore("history").getAllKeys(range));
    db.close();
    return keys;
  }, prefix);

test("a quota that is reached: the oldest history makes room, and sends stay durable", async () => {
  // Before anything is stored: a browser remembers for a while how much room there was.
  const prepare = async (page) => {
    const session = await page.context().newCDPSession(page);
    const { origin } = new URL(stage.page.url);
    await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 4_000_000 });
  };
  const [ana, ben] = await Promise.all([stage.person("ana full", { prepare }), stage.person("ben full")]);
  await Promise.all([ana.connect(), ben.connect()]);
  const { id } = await ana.call("createDirect", ben.userId);
  await ben.untilConversation(id);
  const other = await ana.call("createGroup", { title: "other", members: [ben.userId] });
  // What repeats itself a browser stores small.
  const sends = Array.from({ length: 1500 }, (_, n) => `${n} ${randomBytes(2400).toString("base64")}`);
  for (let at = 0; at < sends.length; at += 100) {
    const sent = await Promise.all(sends.slice(at, at + 100).map((body) => ben.send(id, body)));
    // The server takes 200 a second, and the outbox holds 1,000.
    await ben.call("acknowledged", sent.at(-1).key);
  }
  const last = [id, sends.at(-1)];
  await ana.until("the last", ([id, text]) => harness.conversation(id)?.lastMessage?.text === text, last);
  const sent = await ana.send(other.id, "in the last room there is");
  assert.deepEqual([sent.durable, sent.status], [true, "saved"]);
  await ana.call("acknowledged", sent.key);
  assert.deepEqual(await ana.events("storageDegraded"), []);
  const left = (await keysOf(ana.page, "s/")).length;
  assert.ok(left < 12 && left >= 3, `${left} segments are left`);
  const exported = JSON.parse(await ana.call("exportConversation", id, "json"));
  assert.deepEqual([exported.complete, exported.damaged], [false, []]);
  const texts = exported.messages.map((message) => message.text);
  assert.deepEqual(texts, sends.slice(-texts.length), "the newest are here");

  const { storage } = await ana.call("diagnostics");
  assert.equal(typeof storage.persisted, "boolean");
  assert.ok(storage.usage > 0 && storage.quota > 0, JSON.stringify(storage));
});

test("logout without a wipe keeps everything, and another user of the machine has another database", async () => {
  const { ana, id } = await stage.pair();
  await ana.call("setDraft", id, "half a sen");
  await ana.call("close");
  const [own] = await databases(ana.page);
  const login = { origin: stage.server.origin, name: "eve", id: await stage.idOf("eve") };
  const eve = await Client.on(ana.page, swift(stage.server.url, login));
  assert.equal((await databases(ana.page)).length, 2);
  assert.equal(await eve.page.evaluate((id) => harness.conversation(id), id), null);
  await eve.call("wipe");
  await eve.call("close");
  assert.ok((await databases(ana.page)).includes(own), "a wipe is of one user");
  const again = await Client.on(ana.page, ana.options);
  await again.until("the draft", (id) => harness.conversation(id)?.draft === "half a sen", id);
  await again.call("wipe");
  assert.deepEqual(await keysOf(again.page, "c/"), []);
  await again.until("nothing to show", (id) => harness.conversation(id) === null, id);
});
