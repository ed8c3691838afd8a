// Rounds of another kind: the profiles `companion` and `channels` under load at an official Socket.IO server, full and plain in
// turn, and at a random moment the browser is killed, the server's connections are cut without a word, or both.
// What has become of each message is held against the fates that WIRES.md promises: `channels` keeps keys, so what was
// accepted is stored exactly once and in order; `companion` answers nothing, so it is stored once at most, and what is not
// stored has left the page or says of itself that nobody knows.
import { setTimeout } from "node:timers/promises";
import { startChannelsServer } from "@chatwire/test-servers/channels";
import { startCompanionServer } from "@chatwire/test-servers/companion";
import { KillableBrowser } from "../lib/browser.mjs";
import { Client, swift } from "../lib/client.mjs";
import { randomOf } from "../lib/random.mjs";
import { servePage } from "../lib/static.mjs";
import { Journal } from "./journal.mjs";
import { violationsOfFates, violationsOfLog, violationsOfTimeline } from "./verify.mjs";

const rooms = 4;
const load = { burst: 12, gapMs: 40 };
/** What ends in a round: by the server's faults a connection, with the message that was on it, which is stored or is not. */
const ends = ["browser", "server", "both", "dropBeforeStore", "dropAfterStore"];
const marker = "the last one";

const logOf = {
  companion: (server, id) =>
    server
      .log("7", id)
      .map((row) => ({ id: String(row.id), client_message_id: row.content, text: row.content })),
  channels: (server, id) =>
    server.log(id).map((row) => ({ id: row.id, client_message_id: row.id, text: row.content })),
};
const wires = {
  companion: { start: startCompanionServer, me: "7" },
  channels: { start: startChannelsServer, me: "ana" },
};

const widths = [6, 7, 17, 7, 14, 11, 8, 12, 13, 12, 8];
const line = (...cells) => cells.map((cell, i) => String(cell).padStart(widths[i])).join("");

/** @returns the violations, as `killRun` does. */
export async function wiresRun({ profile, rounds, seed, say }) {
  const scene = await open(profile);
  const violations = [];
  const sum = { unsent: 0, inFlight: 0 };
  say(`${rounds} rounds of ${profile}, seed ${seed}; counts of messages`);
  const found = ["saved, unsent", "in flight", "stored", "left, lost", "unconfirmed"];
  say(line("round", "", "ended", "saved", ...found, "violations", "time"));
  try {
    for (let round = 1; round <= rounds; round++) {
      const began = performance.now();
      const kind = round % 2 === 1 ? "full" : "plain";
      const played = await play(scene, randomOf(seed * 7919 + round), kind, round);
      const { end, saved, unsent, inFlight, fates } = played;
      const time = `${((performance.now() - began) / 1000).toFixed(1)} s`;
      const counts = [unsent, inFlight, fates.stored, fates.lost, fates.unconfirmed];
      say(line(round, kind, end, saved, ...counts, played.violations.length, time));
      for (const violation of played.violations) say(`       ${violation}`);
      sum.unsent += unsent;
      sum.inFlight += inFlight;
      violations.push(...played.violations);
    }
  } finally {
    await close(scene);
  }
  // With fewer rounds chance decides.
  if (rounds >= 6 && (sum.unsent === 0 || sum.inFlight === 0))
    violations.push("no message was waiting, or none on its way, at any kill: the run has not shown much");
  for (const violation of violations) say(`violation: ${violation}`);
  say(violations.length === 0 ? "every message has met the fate that is promised" : "the run has failed");
  return violations;
}

async function open(profile) {
  const scene = { profile, servers: {}, journal: new Journal() };
  try {
    scene.static = await servePage();
    scene.servers.full = await wires[profile].start();
    scene.servers.plain = await wires[profile].start({ plain: true });
    scene.browser = await KillableBrowser.create();
  } catch (error) {
    await close(scene);
    throw error;
  }
  return scene;
}

async function close(scene) {
  await scene.browser?.remove();
  for (const server of Object.values(scene.servers)) await server.close();
  await scene.static?.close();
}

async function visit(scene, server) {
  if (!scene.browser.isRunning) await scene.browser.start();
  const { me } = wires[scene.profile];
  const page = await scene.browser.open(scene.static.url, (fact) => scene.journal.add(fact));
  return Client.on(page, swift(server.url, { id: me, prefix: `user:${me}` }, { profile: scene.profile }));
}

async function play(scene, random, kind, round) {
  const server = scene.servers[kind];
  scene.journal = new Journal();
  const { journal } = scene;
  const ids = Array.from({ length: rooms }, (_, n) => `room ${round}.${n + 1}`);
  let client = await visit(scene, server);
  await client.connect();
  await client.page.evaluate((load) => harness.startLoad(load), { conversations: ids, round, ...load });
  await journal.until((journal) => journal.count("frameOut") >= 20);
  const end = ends[(round - 1) % ends.length];
  await setTimeout(random() * 400);
  const found = await strike(scene, server, end, random);
  if (scene.browser.isRunning) await client.page.evaluate(() => harness.stopLoad());
  else {
    client = await visit(scene, server);
    await client.connect();
  }
  const become = await settle(client, server, scene.profile, ids, journal);
  await client.call("close");
  await client.page.close();
  return { end, saved: journal.resolved().length, ...found, ...become };
}

/** What happens; gives how many messages had been saved and not sent, or sent and not known to be stored. */
async function strike(scene, server, end, random) {
  const { journal, browser } = scene;
  const isAway = end === "server" || end === "both";
  if (isAway) {
    await server.close();
    // So long it is away, and the load goes on.
    await setTimeout(random() * 300);
  }
  if (end === "browser" || end === "both") await browser.kill();
  if (end.startsWith("drop")) {
    const lost = journal.count("socketClosed");
    server.faults[end](1);
    await journal.until((journal) => journal.count("socketClosed") > lost);
  }
  const left = journal.keys(["frameOut"]);
  const settled = journal.keys(["acknowledged", "delivered", "read"]);
  const saved = journal.resolved().map(({ key }) => key);
  if (isAway) await server.open();
  return {
    unsent: saved.filter((key) => !left.has(key)).length,
    inFlight: saved.filter((key) => left.has(key) && !settled.has(key)).length,
  };
}

/** Once nothing waits any more: what the server has, what the page shows, and what is wrong with it. */
async function settle(client, server, profile, ids, journal) {
  await client.untilState("online");
  await client.until("a queue at rest", async () =>
    (await harness.call("outbox")).value.every(({ status }) => status === "failed"),
  );
  const fates = { stored: 0, lost: 0, unconfirmed: 0 };
  const violations = [];
  for (const id of ids) {
    // Behind everything else: when its copy is here, the server has read all that came before.
    await client.send(id, marker);
    await client.until(
      "the copy of the marker",
      async ([id, marker]) =>
        (await harness.loadWhole(id)).messages.some((m) => m.text === marker && m.id !== null),
      [id, marker],
    );
    const messages = (await client.whole(id)).messages.filter(({ text }) => text !== marker);
    const log = logOf[profile](server, id).filter(({ text }) => text !== marker);
    const resolved = journal.resolved().filter(({ conversationId }) => conversationId === id);
    const left = journal.keys(["frameOut"]);
    const fate = fatesOf(log, messages);
    for (const name of Object.keys(fates)) fates[name] += fate[name];
    violations.push(
      ...(profile === "channels"
        ? [...violationsOfLog(id, log, resolved), ...violationsOfTimeline(id, { messages }, log)]
        : violationsOfFates(id, { log, messages, resolved, left })),
    );
  }
  for (const { key } of await client.call("outbox")) await client.call("discard", key);
  for (const { text, code } of journal.facts.filter((fact) => fact.kind === "notSaved")) {
    violations.push(`send(${text}) rejected with ${code}`);
  }
  return { fates, violations };
}

/** How many the server has; how many it has not and the page calls sent; of how many the page says that nobody knows. */
function fatesOf(log, messages) {
  const stored = new Set(log.map(({ text }) => text));
  const unconfirmed = messages.filter(({ failure }) => failure?.code === "unconfirmed");
  const lost = messages.filter((message) => !stored.has(message.text) && !unconfirmed.includes(message));
  return { stored: stored.size, lost: lost.length, unconfirmed: unconfirmed.length };
}
