// The outbox is written with `durability: "strict"`: SIGKILL cannot tell it from relaxed, so the browser is asked.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Stage } from "./lib/stage.mjs";

let stage;
before(async () => {
  stage = await Stage.open();
});
after(() => stage?.close());

/** Notes every transaction that writes, as the browser made it. */
const watch = (page) =>
  page.addInitScript(() => {
    const made = [];
    globalThis.transactions = made;
    const real = IDBDatabase.prototype.transaction;
    IDBDatabase.prototype.transaction = function (...args) {
      const transaction = real.apply(this, args);
      if (transaction.mode === "readwrite") {
        const entry = { stores: [...transaction.objectStoreNames], durability: transaction.durability };
        made.push({ ...entry, done: false });
        const mine = made.at(-1);
        transaction.addEventListener("complete", () => {
          mine.done = true;
        });
      }
      return transaction;
    };
  });

test("what holds the outbox is written strictly, and send() resolves after its commit", async () => {
  const ana = await stage.person("ana", { prepare: watch });
  await ana.connect();
  const { id } = await ana.call("createDirect", await stage.idOf("ben"));
  const seen = await ana.page.evaluate(async (id) => {
    const since = globalThis.transactions.length;
    const { value, error } = await harness.call("send", id, "strictly");
    return { value, error, written: globalThis.transactions.slice(since) };
  }, id);
  assert.equal(seen.error, undefined);
  assert.equal(seen.value.durable, true);
  const outbox = seen.written.filter(({ stores }) => stores.some((name) => /outbox/i.test(name)));
  assert.ok(outbox.length > 0, `no transaction of the outbox among ${JSON.stringify(seen.written)}`);
  for (const { durability } of outbox) assert.equal(durability, "strict");
  assert.ok(
    outbox.some(({ done }) => done),
    "send() resolved before its transaction was complete",
  );
  // Whatever it is that makes it durable, nothing of the queue is ever written relaxed.
  await ana.call("acknowledged", seen.value.key);
  const all = await ana.page.evaluate(() => globalThis.transactions);
  const relaxed = all.filter(
    ({ stores, durability }) => stores.some((name) => /outbox/i.test(name)) && durability !== "strict",
  );
  assert.deepEqual(relaxed, []);
});
