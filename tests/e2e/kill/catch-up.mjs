// Rounds of another kind: a user who was away comes back to thousands of messages, and the browser is killed at some moment
// of the catch-up, once or several times. What the store has then is a beginning of each conversation without a hole; and
// the next start completes it, and tells of each message that was missing once and in order. In half of the rounds one
// conversation is looked at meanwhile: it has its newest page at once, and what comes before it is completed behind it.
import { setTimeout } from "node:timers/promises";
import { startReference } from "@chatwire/test-servers/reference";
import { KillableBrowser } from "../lib/browser.mjs";
import { Client, swift } from "../lib/client.mjs";
import { randomOf } from "../lib/random.mjs";
import { fastWrites, placeOf, Writer } from "../lib/rooms.mjs";
import { servePage } from "../lib/static.mjs";
import { inTime } from "../lib/until.mjs";
import { isLoss } from "./journal.mjs";
import { violationsOfTimeline } from "./verify.mjs";

const rooms = 20;
const known = 5;
const missed = 250;
/** Requests for pages without an interruption: two of each conversation. */
const pages = 2 * rooms;
const mostKills = 3;

const widths = [6, 7, 24, 12, 8];
const line = (...cells) => cells.map((cell, i) => String(cell).padStart(widths[i])).join("");

/** @returns the violations, as `killRun` does. */
export async function catchUpRun({ rounds, seed, say }) {
  const scene = await open();
  const violations = [];
  let midway = 0;
  say(`${rounds} rounds, seed ${seed}; ${rooms * missed} messages missed in ${rooms} conversations`);
  say(line("round", "kills", "stored at each kill", "violations", "time"));
  try {
    for (let round = 1; round <= rounds; round++) {
      const began = performance.now();
      const played = await play(scene, randomOf(seed * 7919 + round), round);
      const time = `${((performance.now() - began) / 1000).toFixed(1)} s`;
      const { stored } = played;
      say(line(round, stored.length, stored.join(", "), played.violations.length, time));
      for (const violation of played.violations) say(`       ${violation}`);
      midway += stored.some((count) => count > 0 && count < rooms * missed);
      violations.push(...played.violations);
    }
  } finally {
    await close(scene);
  }
  if (midway < Math.ceil(rounds / 3)) {
    violations.push(`killed in the middle of it in ${midway} rounds: the run has not shown much`);
  }
  say(`killed in the middle of it in ${midway} of ${rounds} rounds`);
  for (const violation of violations) say(`violation: ${violation}`);
  say(violations.length === 0 ? "every missed message is there once and in order" : "the run has failed");
  return violations;
}

async function open() {
  const scene = {};
  try {
    scene.static = await servePage();
    scene.server = await startReference(fastWrites);
    scene.browser = await KillableBrowser.create();
  } catch (error) {
    await close(scene);
    throw error;
  }
  return scene;
}

async function close(scene) {
  await scene.browser?.remove();
  await scene.server?.close();
  await scene.static?.close();
}

/** @returns `{stored, violations}`; `stored`: how many of the missed messages the store had after each kill. */
async function play(scene, random, round) {
  const away = await goAway(scene, round);
  const { ids } = away;
  const [first, ...others] = ids;
  if (random() < 0.5) away.opened = first;
  const stored = [];
  const violations = [];
  const kills = 1 + Math.floor(random() * mostKills);
  let counts;
  for (let kill = 0; kill < kills; kill++) {
    await killInCatchUp(scene, away, random);
    counts = await look(scene, away, violations);
    stored.push(sum(counts) - rooms * known);
  }
  const back = await visit(scene, away);
  await back.connect();
  await back.untilPhase("live");
  violations.push(...violationsOfToldRows(await toldPlaces(back), away.opened ? others : ids, counts));
  const logs = new Map();
  for (const id of ids) logs.set(id, await scene.server.log(id));
  await compare(back, logs, violations);
  await back.call("close");
  await back.page.close();
  // Once more, and nobody there to ask: the store itself has it all.
  await scene.server.kill();
  const alone = await visit(scene, away);
  await compare(alone, logs, violations);
  await alone.page.close();
  await scene.server.start();
  return { stored, violations };
}

const sum = (counts) => [...counts.values()].reduce((sum, count) => sum + count, 0);

/** A new user with conversations that the store knows, and what is written in them when the page is closed. */
async function goAway(scene, round) {
  const { server } = scene;
  const name = `ana ${round}`;
  const login = { origin: server.origin, name, id: (await server.login(name)).user.id };
  const writer = await Writer.arrive(server, "ben");
  const ids = await writer.rooms(login.id, rooms);
  const away = { login, ids };
  const ana = await visit(scene, away);
  await ana.connect();
  await ana.untilPhase("live");
  await writer.write(ids, known);
  await ana.untilTold(rooms * known);
  await ana.call("close");
  await ana.page.close();
  await writer.write(ids, missed);
  return away;
}

async function visit(scene, { login }, onReport = undefined) {
  if (!scene.browser.isRunning) await scene.browser.start();
  const page = await scene.browser.open(scene.static.url, onReport);
  return Client.on(page, swift(scene.server.url, login));
}

/** Comes back, and dies at some moment after some page of history was asked for. */
async function killInCatchUp(scene, away, random) {
  let missing = 1 + Math.floor(random() * pages * 0.8);
  let resolve;
  const asked = new Promise((done) => {
    resolve = done;
  });
  const onReport = ({ kind, phase }) => {
    if (kind === "pageAsked") missing -= 1;
    // Less was missing than was thought: then it dies when it is through.
    if (missing <= 0 || phase === "live") resolve();
  };
  const ana = await visit(scene, away, onReport);
  await ana.page.evaluate((opened) => {
    if (opened) harness.timeline(opened);
    harness.startConnect();
  }, away.opened);
  await inTime(() => `pages of a catch-up: ${missing} more before the kill`, asked);
  await setTimeout(random() * 40);
  await scene.browser.kill();
}

/** How many messages of each conversation the store has after a kill: its beginning, each message once and in order. */
async function look(scene, away, violations) {
  const facts = [];
  const client = await visit(scene, away, (fact) => facts.push(fact));
  if (facts.some(isLoss)) throw new Error("after the kill the browser began with an empty database");
  const counts = new Map();
  for (const id of away.ids) {
    const { messages } = await client.whole(id);
    const places = messages.map(({ text }) => placeOf(text));
    // The one that was looked at may have its end before its middle.
    const isRight =
      id === away.opened
        ? places.every((place, i) => i === 0 || place > places[i - 1])
        : places.every((place, i) => place === i + 1);
    if (!isRight) violations.push(`${id}: after the kill the store has ${describe(places)}`);
    counts.set(id, places.length);
  }
  await client.page.close();
  return counts;
}

async function toldPlaces(client) {
  const events = await client.events("message");
  return events.map(([{ conversationId, text }]) => [conversationId, placeOf(text)]);
}

/** Told once each and in order: what the store did not have at the start of this page, and nothing else. */
export function violationsOfToldRows(told, ids, counts, last = known + missed) {
  const found = [];
  for (const id of ids) {
    const here = told.filter(([conversation]) => conversation === id).map(([, place]) => place);
    const from = counts.get(id) + 1;
    const isRight = here.length === last - from + 1 && here.every((place, i) => place === from + i);
    if (!isRight) found.push(`${id}: ${from} to ${last} were missing, told were ${describe(here)}`);
  }
  return found;
}

async function compare(client, logs, violations) {
  for (const [id, log] of logs) {
    const timeline = await client.whole(id);
    violations.push(...violationsOfTimeline(id, timeline, log));
    if (log.length !== known + missed) violations.push(`${id}: the server has ${log.length} messages`);
  }
}

function describe(places) {
  return `${places.length} (${places.slice(0, 5).join(", ")} … ${places.slice(-5).join(", ")})`;
}
