// A start without any network, from the store alone; and 12,000 messages missed while away: once each, in order, without
// holding up the page, whatever is said or breaks off meanwhile.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { assertTimeline } from "./lib/checks.mjs";
import { Client, swift } from "./lib/client.mjs";
import { traceMainThread } from "./lib/main-thread.mjs";
import { fastWrites, placeOf, Writer } from "./lib/rooms.mjs";
import { openHarness, Stage } from "./lib/stage.mjs";
import { files } from "./lib/static.mjs";

/** Of each conversation before the user goes away, and while they are away. */
const known = 60;
const missed = 600;
const pageRows = 500;
const pagesARoom = Math.ceil(missed / pageRows);
/** Pages that are under way at the same time. */
const atOnce = 4;
/** What a person sees at once. */
const shown = 50;
const longestMs = 50;

let stage;
let homes = 0;
before(async () => {
  stage = await Stage.open({ args: fastWrites });
});
afterEach(async () => {
  if (!stage.server.isRunning()) await stage.server.start();
  await stage.leave();
});
after(() => stage?.close());

/** A person whose store knows some conversations, and somebody who writes in them; the page is closed again. */
async function home(rooms) {
  const n = ++homes;
  const writer = await Writer.arrive(stage.server, `ben ${n}`);
  const login = await stage.loginOf(`ana ${n}`);
  const ids = await writer.rooms(login.id, rooms);
  const profile = await stage.profile();
  // What is there at the first contact may be left on the server: so it is told while she is there.
  const visit = () => visitOf(profile, login);
  const ana = await visit();
  await ana.connect();
  await ana.untilPhase("live");
  await writer.write(ids, known);
  await ana.untilTold(rooms * known);
  await leave(ana);
  return { rooms, writer, ids, profile, visit };
}

/** The page anew, its client not connected. */
async function visitOf(profile, login) {
  const page = await profile.newPage();
  await openHarness(page, stage.page.url);
  return Client.on(page, swift(stage.server.url, login));
}

/** As somebody closes the tab; what was under way is in the store. */
async function leave(client) {
  await client.call("close");
  await client.page.close();
}

const phases = async (client) => (await client.facts("phase")).map(({ phase }) => phase);
const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** The list of conversations and the newest messages of each, as long as the client has no connection. */
async function assertShownOffline(ana, ids, last) {
  const conversations = await ana.page.evaluate(() => harness.conversations());
  assert.deepEqual(conversations.map(({ id }) => id).sort(), [...ids].sort());
  for (const { title, lastMessage, unread, phase } of conversations) {
    assert.match(title, /^room \d+$/);
    assert.equal(placeOf(lastMessage.text), last);
    assert.equal(unread, last);
    assert.equal(phase, "restored");
  }
  for (const id of ids) {
    await ana.until("the newest messages", (id) => !harness.timeline(id).loading, id);
    const { messages, phase, error } = await ana.timeline(id);
    assert.equal(error, null);
    assert.equal(phase, "restored");
    assert.deepEqual(
      messages.map(({ text }) => placeOf(text)),
      numbers(last - shown + 1, last),
    );
  }
  assert.deepEqual(new Set(await phases(ana)), new Set(["restored"]));
  assert.deepEqual(await ana.facts("pageAsked"), []);
}

/** Each conversation shows what the server holds. */
async function assertWhole(client, ids) {
  for (const id of ids) assertTimeline(await client.whole(id), await stage.server.log(id));
}

/** The same from the store alone: a new page, and nobody there to ask. */
async function assertStored({ visit }, ids) {
  const logs = new Map();
  for (const id of ids) logs.set(id, await stage.server.log(id));
  await stage.server.kill();
  const ana = await visit();
  for (const id of ids) assertTimeline(await ana.whole(id), logs.get(id));
  assert.notEqual((await ana.connection()).state, "online");
  await ana.page.close();
}

/** Each of these messages was told once, in the server's order: those that came live, and those that were caught up. */
async function assertToldOnce(client, ids, { from, to }) {
  const told = await client.page.evaluate(() => harness.told());
  for (const id of ids) {
    const log = await stage.server.log(id);
    const places = new Map(log.map((row, i) => [row.id, i + 1]));
    const here = told.filter(([conversation]) => conversation === id);
    const of = (entries) => entries.map(([, message]) => places.get(message));
    const ascending = (numbers) => numbers.toSorted((a, b) => a - b);
    assert.deepEqual(ascending(of(here)), numbers(from, to));
    for (const live of [true, false]) {
      const some = of(here.filter((entry) => entry[2] === live));
      assert.deepEqual(some, ascending(some), `live: ${live}`);
    }
  }
}

test("without a backend: conversations and the last 50 messages come from the store", async () => {
  const { ids, visit } = await home(20);
  await stage.server.kill();
  const ana = await visit();
  await ana.page.evaluate(() => harness.startConnect());
  await ana.until("a failed attempt", () => harness.connection().state === "waiting");
  await assertShownOffline(ana, ids, known);
});

test("a browser without any network: the page itself comes from a cache, all else from the store", async () => {
  const { ids, profile, visit } = await home(20);
  await profile.setOffline(true);
  // What a service worker would do: the application's files are there, and nothing else is.
  await profile.route("**/*", async (route) => {
    const { origin, pathname } = new URL(route.request().url());
    if (origin !== new URL(stage.page.url).origin) return route.abort("internetdisconnected");
    return route.fulfill(await files(pathname));
  });
  const ana = await visit();
  await ana.page.evaluate(() => harness.startConnect());
  await ana.untilState("offline");
  await assertShownOffline(ana, ids, known);
});

test("12,000 messages missed: once each, in order, and the page is never held up", async (t) => {
  const { rooms, writer, ids, visit } = await home(20);
  await writer.write(ids, missed);
  await stage.server.kill();
  const ana = await visit();
  const [opened, ...others] = ids;
  await ana.page.evaluate((id) => {
    harness.timeline(id);
    harness.startConnect();
  }, opened);
  await ana.until("a failed attempt", () => harness.connection().state === "waiting");
  assert.deepEqual(new Set(await phases(ana)), new Set(["restored"]));
  const trace = await traceMainThread(ana.page);
  await ana.page.evaluate(() => harness.watchTasks());
  await stage.server.start();
  await ana.untilTold(rooms * missed);
  await ana.untilPhase("live");
  const { longTasks, latestBeatMs } = await ana.page.evaluate(() => harness.tasks());
  const tasks = await trace.end();

  const facts = await ana.facts("phase");
  const inTurn = facts.map(({ phase }) => phase).filter((phase, i, all) => phase !== all[i - 1]);
  assert.deepEqual(inTurn, ["restored", "syncing", "live"]);
  const tookMs = facts.at(-1).at - facts.findLast(({ phase }) => phase === "syncing").at;
  const sum = tasks.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  t.diagnostic(
    `${rooms * missed} messages in ${tookMs.toFixed(0)} ms, ${sum.toFixed(0)} ms of the main thread; longest task ` +
      `${tasks[0].cpuMs.toFixed(1)} ms; by the clock ${tasks[0].wallMs.toFixed(1)} ms, latest beat ` +
      `${latestBeatMs.toFixed(1)} ms, long tasks ${longTasks.map(({ duration }) => duration).join(", ") || "none"}`,
  );
  // The open one has its newest page at once, the rest behind it.
  await assertToldOnce(ana, others, { from: known + 1, to: known + missed });
  assert.equal((await ana.page.evaluate(() => harness.told())).length, rooms * missed);
  await assertWhole(ana, ids);
  assert.ok(tasks.length > 100, "the trace has not seen the work");
  const heldUp = tasks.filter(({ cpuMs }) => cpuMs >= longestMs);
  assert.deepEqual(heldUp, []);
  await leave(ana);
  await assertStored({ visit }, ids);
});

/** Answers to requests for pages wait here until the test lets them go on. */
async function gate(profile) {
  const held = [];
  let open = 0;
  const next = () => {
    while (open > 0 && held.length > 0) {
      open -= 1;
      held.shift()();
    }
  };
  await profile.route(/\/api\/messages\/[^?]+\?.*after=/, async (route) => {
    await new Promise((resolve) => {
      held.push(resolve);
      next();
    });
    // The page or its server may be gone meanwhile.
    await route.continue().catch(() => {});
  });
  return {
    /** Lets this many pass, those that wait and those that come. */
    letPass(count) {
      open += count;
      next();
    },
  };
}

test("what is said during the catch-up is kept, in order", async () => {
  const { rooms, writer, ids, profile, visit } = await home(8);
  await writer.write(ids, missed);
  const pages = await gate(profile);
  const ana = await visit();
  pages.letPass((pagesARoom * rooms) / 2);
  await ana.connect();
  await ana.untilTold((rooms * missed) / 4);
  // Half of the pages are held back: she cannot be live before these are told.
  const said = 10;
  await writer.write(ids, said);
  assert.ok(!(await phases(ana)).includes("live"));
  pages.letPass(Number.POSITIVE_INFINITY);
  await ana.untilTold(rooms * (missed + said));
  await ana.untilPhase("live");
  await assertToldOnce(ana, ids, { from: known + 1, to: known + missed + said });
  await assertWhole(ana, ids);
  await leave(ana);
  await assertStored({ visit }, ids);
});

/** Comes back and takes half of the pages in, and no more. */
async function halfway({ rooms, writer, ids, profile, visit }) {
  await writer.write(ids, missed);
  const pages = await gate(profile);
  const ana = await visit();
  const half = (pagesARoom * rooms) / 2;
  pages.letPass(half);
  await ana.connect();
  // All that may pass has passed, and as many wait as are asked for at once.
  await ana.until("half of the pages", (half) => harness.count("pageAsked") > half, half);
  return { ana, pages, half };
}

test("the server goes in the middle of it: the catch-up goes on where it was", async () => {
  const here = await home(8);
  const { rooms, ids, visit } = here;
  const { ana, pages } = await halfway(here);
  await stage.server.kill();
  await ana.until("the loss", () => harness.connection().state !== "online");
  await stage.server.start();
  pages.letPass(Number.POSITIVE_INFINITY);
  await ana.untilTold(rooms * missed);
  await ana.untilPhase("live");
  const asked = (await ana.facts("pageAsked")).length;
  assert.ok(asked <= pagesARoom * rooms + atOnce, `${asked} pages asked for`);
  await assertToldOnce(ana, ids, { from: known + 1, to: known + missed });
  await assertWhole(ana, ids);
  await leave(ana);
  await assertStored({ visit }, ids);
});

test("the page is reloaded in the middle of it: the catch-up goes on where the store was", async () => {
  const here = await home(8);
  const { rooms, ids, visit } = here;
  const { ana, pages, half } = await halfway(here);
  await ana.page.close();
  const again = await visit();
  pages.letPass(Number.POSITIVE_INFINITY);
  await again.connect();
  await again.untilPhase("live");
  const asked = (await again.facts("pageAsked")).length;
  // What was answered and not stored yet is asked for again: no more than what came in one transaction's time.
  assert.ok(asked <= pagesARoom * rooms - half + 2 * atOnce, `${asked} pages asked for by the second page`);
  await assertWhole(again, ids);
  await leave(again);
  await assertStored({ visit }, ids);
});
