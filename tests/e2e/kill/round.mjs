// One round: load, the kill at its moment, what was where, the restart, and what has become of it.
import { setTimeout } from "node:timers/promises";
import { until } from "../lib/until.mjs";
import { classifyByStore, classifyByTime, isLoss } from "./journal.mjs";
import { fatesOf } from "./verify.mjs";

// More than the client's window takes at once, so that some of a burst always waits.
const burst = 12;
const gapMs = 40;
/** So many have left the page, or were acknowledged, before anything is struck. */
const underWay = 20;
const marker = "the last one";
const now = () => performance.timeOrigin + performance.now();

/** @returns `{journal, sent, unsent, inFlight, uncommitted, fates, violations, tookMs}` */
export async function playRound(scene, { variant, victim, aim, random }, round) {
  const began = performance.now();
  const journal = await scene.begin(variant, round);
  await scene.client.connect();
  const conversations = await scene.wire.conversations(scene, round);
  await startLoad(scene, conversations, round);
  const strike = victim === "server" ? killServer : killBrowser;
  const { at, byServer } = await strike(scene, { aim, victim, conversations }, random);
  const found = byServer
    ? await recoverServer(scene, at)
    : await recoverBrowser(scene, victim === "both" || aim === "saved");
  const become = await verify(scene, conversations, journal);
  return { journal, sent: journal.resolved().length, ...found, ...become, tookMs: performance.now() - began };
}

async function startLoad(scene, conversations, round) {
  const { client, journal, variant } = scene;
  await client.page.evaluate((load) => harness.startLoad(load), {
    conversations,
    round,
    burst,
    gapMs,
  });
  const kind = variant.fate.isAnswered ? "acknowledged" : "frameOut";
  await journal.until((journal) => journal.count(kind) >= underWay);
}

// ── the kill ────────────────────────────────────────────────────────────────

async function killBrowser(scene, { aim, victim, conversations }, random) {
  const { journal, server, browser, client, variant } = scene;
  if (aim === "answered" || aim === "left") {
    const skip = Math.floor(random() * 60);
    await client.page.evaluate(([aim, skip]) => harness.stallAt(aim, skip), [aim, skip]);
    await journal.until((journal) => journal.count("stalled") > 0);
  } else if (aim === "in flight") {
    // A server that stands still: what leaves the browser now is answered by nobody.
    const left = journal.count("frameOut");
    server.signal("SIGSTOP");
    if (variant.fate.isAnswered) {
      // A conversation may have no more than one under way.
      await journal.until((journal) => journal.open().length >= Math.min(3, conversations.length));
    } else await journal.until((journal) => journal.count("frameOut") >= left + 3);
  } else if (aim === "saved") {
    await server.kill();
    await journal.until((journal) => journal.count("socketClosed") > 0);
    const before = journal.resolved().length;
    await journal.until((journal) => journal.resolved().length >= before + 10);
  } else {
    await setTimeout(random() * 600);
  }
  const ends = [browser.kill()];
  if (victim === "both") ends.push(server.kill());
  const [at] = await Promise.all(ends);
  if (aim === "in flight") server.signal("SIGCONT");
  return { at, byServer: false };
}

async function killServer({ server, journal }, { aim }, random) {
  const isLost = (journal) => journal.facts.some(({ kind }) => kind === "socketClosed");
  if (aim !== "random") {
    await server.crash(aim, Math.floor(random() * 60));
    await journal.until(isLost);
    return { at: now(), byServer: true };
  }
  await setTimeout(random() * 600);
  const at = now();
  await server.kill();
  await journal.until(isLost);
  return { at, byServer: true };
}

// ── the restart ─────────────────────────────────────────────────────────────

async function recoverBrowser(scene, isServerDown) {
  if (isServerDown) await scene.server.start();
  await scene.browser.start();
  // All that the killed page has told is here by now, and the next page tells more.
  const { journal } = scene;
  const known = journal.facts.length;
  journal.endPage();
  await scene.launchPage();
  const restored = await scene.client.call("outbox");
  const found = classifyByStore(
    journal.upTo(known),
    restored.map(({ key }) => key),
  );
  await scene.client.connect();
  return found;
}

async function recoverServer({ server, client, journal, variant }, at) {
  const lostAt = journal.facts.find((fact) => fact.kind === "socketClosed").at;
  await server.start();
  await client.page.evaluate(() => harness.stopLoad());
  return classifyByTime(journal, at, lostAt, variant.fate.done);
}

// ── what has become of it ───────────────────────────────────────────────────

/** Once nothing waits any more: what the server has, what the page shows, and what is wrong with it. */
async function verify(scene, conversations, journal) {
  const { client, variant } = scene;
  await client.untilState("online");
  await client.until("a queue at rest", async () =>
    (await harness.call("outbox")).value.every(({ status }) => status === "failed"),
  );
  const fates = { stored: 0, lost: 0, unconfirmed: 0 };
  const violations = [];
  for (const id of conversations) {
    const found = await become(scene, id, journal);
    for (const [fate, count] of Object.entries(fatesOf(found))) fates[fate] += count;
    violations.push(...variant.fate.violations(id, found));
  }
  const failed = (await client.call("outbox")).filter(({ status }) => status === "failed");
  for (const { key } of failed) await client.call("discard", key);
  for (const { text, code } of journal.facts.filter((fact) => fact.kind === "notSaved")) {
    violations.push(`send(${text}) rejected with ${code}`);
  }
  // What is saved in memory alone dies with the page, and would be found missing without a cause.
  for (const { message } of journal.facts.filter((fact) => fact.kind === "storageDegraded")) {
    violations.push(`the store was given up: ${message}`);
  }
  if (journal.facts.some(isLoss)) violations.push("after the kill the browser began with an empty database");
  return { fates, violations };
}

/** What has become of a conversation's messages: `{log, messages, resolved, left}`, of this user's own alone. */
async function become(scene, id, journal) {
  const { client } = scene;
  const resolved = journal.resolved().filter(({ conversationId }) => conversationId === id);
  // Behind everything else: once it is there, the server has read all that came before on this connection.
  await client.send(id, marker);
  await until(`${marker} of ${id} on the server`, async () =>
    (await scene.log(id)).some(({ text }) => text === marker),
  );
  const log = (await scene.log(id)).filter(({ text }) => text !== marker);
  await client.untilCount(id, log.length);
  const { messages } = await client.whole(id);
  const own = messages.filter(({ sender, text }) => sender === "me" && text !== marker);
  return { log, messages: own, resolved, left: journal.mayHaveLeft() };
}
