// Half a minute without a network, in a real browser: on a server that resumes sessions, on one that does not, and on Phoenix.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { startTeamServer } from "@chatwire/test-servers/team";
import { numbered, sendAll } from "./lib/checks.mjs";
import { swift } from "./lib/client.mjs";
import { Stage } from "./lib/stage.mjs";

/** What the test is about: longer than any ping interval below, and shorter than what a server keeps a session for. */
const awayMs = 30_000;

let stage;
before(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.leave());
after(() => stage?.close());

const textsOf = ({ messages }) => messages.map(({ text }) => text);
/** Ben is away: what ana sends meanwhile comes once and in order, what he writes goes once. */
async function away({ ana, ben, id, cut, logged }) {
  await sendAll(ana, id, ["before"]);
  await ben.untilCount(id, 1);
  await ben.page.context().setOffline(true);
  await cut?.();
  await ben.until("the loss", () => harness.connection().state !== "online");
  await sendAll(ana, id, numbered("meanwhile", 1, 20));
  await sendAll(ben, id, numbered("offline", 1, 5));
  await setTimeout(awayMs);
  assert.notEqual((await ben.connection()).state, "online");
  await ben.page.context().setOffline(false);
  await ben.untilState("online");
  await ben.untilCount(id, 26);
  await ana.untilCount(id, 26);
  await ben.untilFlushed([id]);
  const shown = textsOf(await ben.whole(id));
  assert.deepEqual(shown, textsOf(await ana.whole(id)));
  assert.deepEqual(shown, await logged());
  const told = (await ben.events("message")).filter(([m]) => m.conversationId === id).map(([m]) => m.text);
  assert.deepEqual(told.sort(), ["before", ...numbered("meanwhile", 1, 20)].sort());
}

const decode = (row) => Buffer.from(row.content_encrypted, "base64").toString("utf8");

for (const recovery of [true, false]) {
  test(`Socket.IO, the server's recovery ${recovery ? "on" : "off"} (E2, E11)`, async (t) => {
    const server = await startTeamServer({ recovery, pingInterval: 2_000, pingTimeout: 2_000 });
    t.after(() => server.close());
    const person = (id) => stage.client(swift(server.url, { id, prefix: `user:${id}` }));
    const [ana, ben] = await Promise.all([person("ana"), person("ben")]);
    await Promise.all([ana.connect(), ben.connect()]);
    const { id } = await ana.call("createDirect", "ben");
    await ben.untilConversation(id);
    // The browser's emulation lets a socket live that is open: the server's pings stop coming at ben's alone.
    const cut = () => server.faults.dropSockets("ben");
    await away({ ana, ben, id, cut, logged: async () => server.log(id).map(decode) });
  });
}

test("Phoenix (X9, X12)", async () => {
  // A browser that is told to be offline may not hear that its socket was cut: then silence tells, as above.
  const heartbeat = { intervalMs: 2_000, timeoutMs: 2_000 };
  const pair = await stage.pair({ profile: "phoenix", url: stage.server.phoenix, heartbeat });
  const { ben, id } = pair;
  const cut = () => stage.server.fault({ fault: "drop_sockets", user: ben.userId });
  const logged = async () => (await stage.server.log(id)).map(({ text }) => text);
  await away({ ...pair, cut, logged });
});
