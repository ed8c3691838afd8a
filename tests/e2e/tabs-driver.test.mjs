// What the tests of tabs stand on: in this browser hiding, freezing and crashing are real, and locks outlive a freeze.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { servePage } from "./lib/static.mjs";
import { TabBrowser } from "./tabs/browser.mjs";
import { groupOf, usageOf } from "./tabs/usage.mjs";

let browser;
let page;
const tabs = [];
before(async () => {
  page = await servePage();
  browser = await TabBrowser.open();
});
afterEach(async () => {
  for (const tab of tabs.splice(0)) if (tab.isOpen) await tab.close();
});
after(async () => {
  await browser?.close();
  await page?.close();
});

async function newTab() {
  const tab = await browser.newTab(page.url);
  tabs.push(tab);
  await tab.evaluate(() => {
    globalThis.seen = [];
    for (const name of ["freeze", "resume", "visibilitychange"]) {
      document.addEventListener(name, () => seen.push(name));
    }
  });
  return tab;
}

const isVisible = (tab) => tab.evaluate(() => document.visibilityState === "visible");
const aTask = () => new Promise((resolve) => setTimeout(() => resolve("ran"), 0));

test("one tab is visible, the others are hidden", async () => {
  const [first, second] = [await newTab(), await newTab()];
  assert.deepEqual(await Promise.all([first, second].map(isVisible)), [false, true]);
  await first.bringToFront();
  await second.until("the other tab to be hidden", () => document.visibilityState === "hidden");
});

test("a frozen tab is told so, runs no task, and goes on when it thaws", async () => {
  const [tab] = [await newTab(), await newTab()];
  await tab.freeze();
  assert.equal((await tab.evaluate(() => seen)).at(-1), "freeze");
  await assert.rejects(tab.evaluate(aTask, null, { patienceMs: 500 }), /no answer in 500 ms/);
  await tab.thaw();
  assert.equal((await tab.evaluate(() => seen)).at(-1), "resume");
  assert.equal(await tab.evaluate(aTask), "ran");
});

test("a frozen tab keeps its lock; a closed or crashed one does not", async () => {
  const [first, second, third] = [await newTab(), await newTab(), await newTab()];
  const hold = () =>
    new Promise((resolve) => {
      navigator.locks.request("lead", () => {
        resolve(true);
        return new Promise(() => {});
      });
    });
  const isFree = () => navigator.locks.request("lead", { ifAvailable: true }, (lock) => lock !== null);
  await first.evaluate(hold);
  await first.freeze();
  assert.equal(await third.evaluate(isFree), false);
  await first.close();
  await third.until("the lock of a closed tab to be free", isFree);
  await second.evaluate(hold);
  assert.equal(await third.evaluate(isFree), false);
  await second.crash();
  await third.until("the lock of a crashed tab to be free", isFree);
});

test("a crash ends one renderer; the tab can be loaded again", async () => {
  const [first, second] = [await newTab(), await newTab()];
  await first.crash();
  assert.equal(first.isAlive, false);
  assert.equal(await second.evaluate(aTask), "ran");
  await first.reload();
  assert.equal(await first.evaluate(aTask), "ran");
});

test("memory and CPU time are those of all its processes, also of those that have ended", async () => {
  const tab = await newTab();
  const before = await browser.usage();
  await tab.evaluate(() => {
    globalThis.kept = new Uint8Array(64 * 1024 * 1024).fill(1);
    for (const end = performance.now() + 500; performance.now() < end; );
  });
  const during = await browser.usage();
  assert.ok(during.renderers.pssBytes - before.renderers.pssBytes > 48 * 1024 * 1024);
  assert.ok(during.cpuMs > before.cpuMs);
  await tab.close();
  assert.ok((await browser.usage()).cpuMs >= during.cpuMs);
});

test("a page's error and a promise that it keeps come back", async () => {
  const tab = await newTab();
  await assert.rejects(
    tab.evaluate(() => Promise.reject(new TypeError("no such thing"))),
    /TypeError: no such thing/,
  );
  assert.deepEqual(await tab.evaluate(async (n) => ({ n: n + 1 }), 1), { n: 2 });
});

test("nothing is left of a browser that was closed", async () => {
  const other = await TabBrowser.open();
  const { pid } = other;
  assert.ok((await usageOf(pid)).processes > 1);
  await other.close();
  assert.deepEqual(await groupOf(pid), []);
});
