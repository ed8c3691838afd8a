// One round: load, the kill at its moment, what was where, the restart, and what has become of it.
import { setTimeout } from "node:timers/promises";
import { classifyByStore, classifyByTime, isLoss } from "./journal.mjs";
import { violationsOfLog, violationsOfTimeline } from "./verify.mjs";

const conversationCount = 4;
// More than the client's window takes at once, so that some of a burst always waits.
const burst = 12;
const gapMs = 40;
const now = () => performance.timeOrigin + performance.now();

/** @returns `{victim, journal, sent, unsent, inFlight, uncommitted, violations, tookMs}` */
export async function playRound(scene, { victim, aim, random }, round) {
  const began = performance.now();
  const journal = scene.beginJournal();
  await scene.client.connect();
  const conversations = await scene.newConversations(conversationCount);
  await startLoad(scene, conversations, round);
  const { at, byServer } = await (victim === "server" ? killServer : killBrowser)(
    scene,
    { aim, victim },
    random,
  );
  const found = byServer
    ? await recoverServer(scene, at)
    : await recoverBrowser(scene, victim === "both" || aim === "saved");
  const violations = await verify(scene, conversations, journal);
  const sent = journal.resolved().length;
  return { victim, journal, sent, ...found, violations, tookMs: performance.now() - began };
}

async function startLoad({ client, journal }, conversations, round) {
  await client.page.evaluate((load) => harness.startLoad(load), {
    conversations,
    round,
    burst,
    gapMs,
  });
  await journal.until((journal) => journal.count("acknowledged") >= 20);
}

// ── the kill ────────────────────────────────────────────────────────────────

async function killBrowser(scene, { aim, victim }, random) {
  const { journal, server, browser, client } = scene;
  if (aim === "answered") {
    const skip = Math.floor(random() * 60);
    await client.page.evaluate((skip) => harness.stallAtAnswer(skip), skip);
    await journal.until((journal) => journal.count("stalled") > 0);
  } else if (aim === "in flight") {
    // A server that stands still: what leaves the browser now is answered by nobody.
    server.signal("SIGSTOP");
    await journal.until((journal) => journal.open().length >= 3);
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

const crashes = {
  "after answer": "crash_after_ack",
  "after store": "crash_after_store",
  "before store": "crash_before_store",
};

async function killServer({ server }, { aim }, random) {
  const fault = crashes[aim];
  if (fault) {
    await server.fault({ fault, skip: Math.floor(random() * 60) });
    await server.ended();
    return { at: now(), byServer: true };
  }
  await setTimeout(random() * 600);
  const at = now();
  await server.kill();
  return { at, byServer: true };
}

// ── the restart ─────────────────────────────────────────────────────────────

async function recoverBrowser(scene, isServerDown) {
  if (isServerDown) await scene.server.start();
  await scene.browser.start();
  // All that the killed page has told is here by now, and the next page tells more.
  const { journal } = scene;
  const known = journal.facts.length;
  await scene.launchPage();
  const restored = await scene.client.call("outbox");
  const found = classifyByStore(
    journal.upTo(known),
    restored.map(({ key }) => key),
  );
  await scene.client.connect();
  return found;
}

async function recoverServer({ server, client, journal }, at) {
  await journal.until((journal) => journal.facts.some((fact) => fact.kind === "socketClosed"));
  const lostAt = journal.facts.find((fact) => fact.kind === "socketClosed").at;
  await server.start();
  await client.page.evaluate(() => harness.stopLoad());
  return classifyByTime(journal, at, lostAt);
}

// ── what has become of it ───────────────────────────────────────────────────

async function verify({ server, client }, conversations, journal) {
  await client.untilState("online");
  await client.until("an empty outbox", async () => (await harness.call("outbox")).value.length === 0);
  const violations = [];
  for (const id of conversations) {
    const log = await server.log(id);
    const resolved = journal.resolved().filter((fact) => fact.conversationId === id);
    await client.untilCount(id, log.length);
    violations.push(
      ...violationsOfLog(id, log, resolved),
      ...violationsOfTimeline(id, await client.whole(id), log),
    );
  }
  for (const { text, code } of journal.facts.filter((fact) => fact.kind === "notSaved")) {
    violations.push(`send(${text}) rejected with ${code}`);
  }
  // What is saved in memory alone dies with the page, and would be found missing without a cause.
  for (const { message } of journal.facts.filter((fact) => fact.kind === "storageDegraded")) {
    violations.push(`the store was given up: ${message}`);
  }
  if (journal.facts.some(isLoss)) violations.push("after the kill the browser began with an empty database");
  return violations;
}
