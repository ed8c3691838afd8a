// A short kill run; `npm run kill` is the long one. And what it would say of a backend or a client that broke its promise.
import assert from "node:assert/strict";
import { test } from "node:test";
import { catchUpRun, violationsOfToldRows } from "./kill/catch-up.mjs";
import { classifyByStore, classifyByTime, Journal } from "./kill/journal.mjs";
import { aimsOf, planOf } from "./kill/plan.mjs";
import { killRun, leastSeen } from "./kill/run.mjs";
import { violationsOfFates, violationsOfLog, violationsOfTimeline } from "./kill/verify.mjs";
import { wires } from "./kill/wires.mjs";

const row = (n) => ({ id: `m${n}`, client_message_id: `k${n}`, text: `1/${n}` });
const resolved = [1, 2, 3].map((n) => ({ key: `k${n}`, text: `1/${n}` }));
const shown = (n, status = "acknowledged") => ({ id: `m${n}`, text: `1/${n}`, status });

test("what is lost, doubled or out of order on the server is a violation", () => {
  assert.deepEqual(violationsOfLog("c", [1, 2, 3].map(row), resolved), []);
  assert.equal(violationsOfLog("c", [1, 3].map(row), resolved).length, 1);
  assert.equal(violationsOfLog("c", [1, 3, 2].map(row), resolved).length, 1);
  // One message twice, under its key: the message, the key and the order.
  assert.equal(violationsOfLog("c", [1, 2, 3, 2].map(row), resolved).length, 3);
  // Nothing that had resolved, and yet twice on the server.
  assert.ok(violationsOfLog("c", [1, 2, 3, 4, 4].map(row), resolved).length > 0);
});

test("a timeline that shows something else than the server holds is a violation", () => {
  const log = [1, 2].map(row);
  const of = (...messages) => violationsOfTimeline("c", { messages }, log).length;
  assert.equal(of(shown(1), shown(2)), 0);
  assert.equal(of(shown(1)), 1);
  assert.equal(of(shown(2), shown(1)), 1);
  assert.equal(of(shown(1), shown(2), shown(2)), 1);
  assert.equal(of(shown(1), shown(2, "sent")), 1);
});

test("without answers: what is stored twice, hidden, or claims more than is known is a violation", () => {
  const left = new Set(["k1", "k2"]);
  const of = (log, ...messages) => {
    const resolved = messages.map(({ text }) => ({ key: `k${text.split("/")[1]}`, text }));
    const rows = log.map((n) => ({ ...row(n), client_message_id: `1/${n}` }));
    return violationsOfFates("c", { log: rows, messages, resolved, left }).length;
  };
  const unconfirmed = (n) => ({ ...shown(n, "failed"), failure: { code: "unconfirmed" } });
  assert.equal(of([1, 2], shown(1), shown(2, "sent")), 0);
  assert.equal(of([1], shown(1), shown(2, "sent"), unconfirmed(3)), 0);
  assert.equal(of([1, 2, 2], shown(1), shown(2)), 2, "twice on the server, and out of order");
  assert.equal(of([2, 1], shown(1), shown(2)), 1);
  assert.equal(of([1], shown(1), shown(2)), 1, "acknowledged and not stored");
  assert.equal(of([1], shown(1), shown(3, "sent")), 1, "sent and never left");
  assert.equal(of([1], shown(1), shown(1)), 1, "twice in the timeline");
  assert.equal(violationsOfFates("c", { log: [], messages: [], resolved, left }).length, 3, "not shown");
});

test("with answers and without keys: what only left the page is no fate, unconfirmed is", () => {
  const of = (log, message) => {
    const found = { log: log.map(row), messages: [message], resolved: resolved.slice(0, 1) };
    return violationsOfFates("c", { ...found, left: new Set(["k1"]) }, { isAnswered: true }).length;
  };
  const unconfirmed = { ...shown(1, "failed"), failure: { code: "unconfirmed" } };
  for (const log of [[], [1]]) {
    assert.equal(of(log, unconfirmed), 0);
    assert.equal(of(log, shown(1, "sent")), 1);
    assert.equal(of(log, { ...unconfirmed, failure: { code: "timeout" } }), 1);
  }
  assert.equal(of([1], shown(1)), 0);
  assert.equal(of([], shown(1)), 1, "acknowledged and not stored");
});

test("each variant of a wire has its turn, and is aimed at as its answers allow", () => {
  const plan = planOf(wires.assistant, 30, 1);
  const of = (name) => plan.filter(({ variant }) => variant.name === name).map(({ aim }) => aim);
  assert.equal(of("full").length, 15);
  assert.equal(of("plain").length, 15);
  assert.ok(of("full").includes("answered") && !of("full").includes("left"));
  assert.ok(of("plain").includes("left") && !of("plain").includes("answered"));
  for (const wire of Object.values(wires)) {
    const aimed = new Set(planOf(wire, 20, 1).map(({ aim }) => aim));
    assert.deepEqual([...aimed].sort(), aimsOf(wire).sort(), "twenty rounds have aimed at everything");
  }
  assert.deepEqual(
    planOf(wires.assistant, 3, 1, "left").map(({ variant }) => variant.name),
    ["plain", "plain", "plain"],
  );
});

test("messages are counted by how far they were at the kill", () => {
  const journal = new Journal();
  const facts = [
    ["saved", "a", 1],
    ["saved", "b", 1],
    ["saved", "c", 1],
    ["saved", "d", 1],
    ["frameOut", "b", 2],
    ["frameOut", "c", 2],
    ["frameOut", "d", 2],
    ["answerIn", "d", 3],
    ["commit", undefined, 5, 4],
    ["answerIn", "c", 6],
    ["commit", undefined, 9, 7],
  ];
  for (const [kind, key, at, begunAt] of facts) journal.add({ kind, key, at, begunAt });
  assert.deepEqual(classifyByTime(journal, 8, 10), { unsent: 1, inFlight: 1, uncommitted: 1 });
  assert.deepEqual(classifyByTime(journal, 9, 10), { unsent: 1, inFlight: 1, uncommitted: 0 });
  assert.deepEqual(classifyByStore(journal, ["a", "b", "c"]), { unsent: 1, inFlight: 1, uncommitted: 1 });
});

test("what a killed page did last is untold: it may have left, what stands before or behind it may not", () => {
  const journal = new Journal();
  const saved = (key) => journal.add({ kind: "saved", key, conversationId: "c", resolved: true, at: 1 });
  for (const key of ["a", "b", "c", "d", "e", "f", "g"]) saved(key);
  const left = (key) => journal.add({ kind: "frameOut", key, at: 2 });
  left("a");
  left("c");
  assert.deepEqual([...journal.mayHaveLeft()], ["a", "c"]);
  journal.endPage();
  left("e");
  left("g");
  assert.deepEqual([...journal.mayHaveLeft()].sort(), ["a", "c", "d", "e", "g"]);
});

test("a short run need not have met each kind by chance; one of 20 rounds must have, in three", () => {
  assert.deepEqual([1, 5, 6, 11, 12, 17, 18, 20, 1000].map(leastSeen), [0, 0, 1, 1, 2, 2, 3, 3, 3]);
});

test("what is told twice, in another order, or not at all after a catch-up is a violation", () => {
  const counts = new Map([["c", 2]]);
  const of = (...places) =>
    violationsOfToldRows(
      places.map((place) => ["c", place]),
      ["c"],
      counts,
      4,
    ).length;
  assert.equal(of(3, 4), 0);
  for (const wrong of [[3], [4, 3], [3, 4, 4], [2, 3, 4], [3, 5]]) assert.equal(of(...wrong), 1);
});

test("six kills: every saved message is on the server once, in order, and acknowledged", async () => {
  assert.deepEqual(await killRun({ rounds: 6, seed: 2, say: console.log }), []);
});

test("three catch-ups that are killed: nothing is missing, nothing stands twice, and each start goes on", async () => {
  assert.deepEqual(await catchUpRun({ rounds: 3, seed: 1, say: console.log }), []);
});

for (const profile of ["phoenix", "assistant", "companion", "channels"]) {
  test(`${profile}: five kills, and every message meets the fate that is promised`, async () => {
    assert.deepEqual(await killRun({ profile, rounds: 5, seed: 1, say: console.log }), []);
  });
}
