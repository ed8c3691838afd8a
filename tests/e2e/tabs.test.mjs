// A short run with ten tabs; `npm run tabs` is the long one. And what it would say of a client that broke its promise.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { start } from "../../scripts/lib/run.mjs";
import { kinds, nextEvent, planOf } from "./crowd/plan.mjs";
import { crowdRun, leastHit } from "./crowd/run.mjs";
import { socketsOf } from "./crowd/sockets.mjs";
import { disagreements, violationsOfLog } from "./crowd/verify.mjs";
import { until } from "./lib/until.mjs";

const held = (n, isMine = true) => ({ id: `m${n}`, text: `1/${n}`, isMine });
const sent = (n, tab, calledAt, resolvedAt) => ({ text: `1/${n}`, tab, call: n, calledAt, resolvedAt });

test("what is lost or doubled on the server is a violation; what was not seen to resolve may be missing", () => {
  const rows = [sent(1, 1, 0, 1), sent(2, 2, 0, 1), sent(3, 3, 0, undefined)];
  const of = (...numbers) =>
    violationsOfLog(
      "c",
      numbers.map((n) => held(n)),
      rows,
    ).length;
  assert.equal(of(1, 2, 3), 0);
  assert.equal(of(1, 2), 0);
  assert.equal(of(1, 3), 1);
  assert.equal(of(1, 2, 2), 1);
});

test("the order is that of the calls within a tab, and across tabs that of what had resolved before a call", () => {
  const of = (rows, ...numbers) =>
    violationsOfLog(
      "c",
      numbers.map((n) => held(n)),
      rows,
    ).length;
  const inOneTab = [sent(1, 1, 0, 9), sent(2, 1, 1, 9)];
  assert.deepEqual([of(inOneTab, 1, 2), of(inOneTab, 2, 1)], [0, 1]);
  const apart = [sent(1, 1, 0, 2), sent(2, 2, 3, 4)];
  assert.deepEqual([of(apart, 1, 2), of(apart, 2, 1)], [0, 1]);
  const atOnce = [sent(1, 1, 0, 2), sent(2, 2, 1, 4)];
  assert.deepEqual([of(atOnce, 1, 2), of(atOnce, 2, 1)], [0, 0]);
  const unknown = [sent(1, 1, 0, undefined), sent(2, 2, 9, 10)];
  assert.equal(of(unknown, 2, 1), 0);
});

test("tabs that differ from the server or from each other are violations", () => {
  const row = (n, status = "acknowledged", sender = "me") => [`m${n}`, `1/${n}`, status, sender];
  const rows = [row(1), row(2, "delivered", "user")];
  const view = (number, change = {}, more = {}) => ({
    number,
    leader: number === 1,
    state: number === 1 ? "online" : "waiting",
    outbox: [],
    conversations: { c: { rows, unread: 1, hasEarlier: false, error: null, ...change } },
    ...more,
  });
  const logs = { c: [held(1), held(2, false)] };
  const of = (...views) => disagreements(views, logs).length;
  assert.equal(of(view(1), view(2)), 0);
  assert.equal(of(view(1), view(2, { unread: 0 })), 1);
  assert.equal(of(view(1), view(2, { rows: [row(1)] })), 1);
  assert.equal(of(view(1), view(2, { rows: [rows[1], rows[0]] })), 1);
  assert.equal(of(view(1), view(2, { rows: [...rows, row(3)] })), 1);
  assert.equal(of(view(1), view(2, { rows: [row(1, "read"), rows[1]] })), 1);
  // Not acknowledged, and not what the other one shows.
  assert.equal(of(view(1), view(2, { rows: [row(1, "sent"), rows[1]] })), 2);
  assert.equal(of(view(1), view(2, { error: "storage" })), 1);
  assert.equal(of(view(1), view(2, {}, { outbox: ["1/3"] })), 1);
  assert.equal(of(view(1), view(2, {}, { leader: true, state: "online" })), 1);
  assert.equal(of(view(1, {}, { state: "connecting" }), view(2)), 1);
  assert.equal(of(view(2)), 1);
  assert.equal(of(view(1), { number: 2, problem: "no answer" }), 1);
});

test("the server's log says how long there were two sockets, and how long none", () => {
  const of = (nowMs, ...spans) =>
    socketsOf(
      spans.map(([opened_ms, closed_ms = null]) => ({ opened_ms, closed_ms })),
      nowMs,
    );
  const one = { opened: 1, mostAtOnce: 1, overlapMs: 0, gapMs: 0 };
  assert.deepEqual(of(9, [1]), one);
  assert.deepEqual(of(9, [1, 5]), { ...one, gapMs: 4 });
  assert.deepEqual(of(9, [1, 5], [5]), { ...one, opened: 2 });
  assert.deepEqual(of(9, [1, 5], [7]), { ...one, opened: 2, gapMs: 2 });
  assert.deepEqual(of(9, [1, 5], [3]), { ...one, opened: 2, mostAtOnce: 2, overlapMs: 2 });
  assert.deepEqual(of(9, [1], [3], [4, 6]), { opened: 3, mostAtOnce: 3, overlapMs: 6, gapMs: 0 });
  assert.deepEqual(of(9, [1, 3], [5, 5], [8]), { opened: 3, mostAtOnce: 1, overlapMs: 0, gapMs: 2 });
  assert.deepEqual(of(9), { ...one, opened: 0, mostAtOnce: 0 });
});

test("a seed says what happens; nobody is taken away where too few are awake", () => {
  const plans = [1, 1, 2].map((seed) => planOf({ rounds: 3, seed, messages: 100 }));
  const chances = plans.map((plan) => plan.map(({ moments, words }) => [moments(), words()]));
  assert.deepEqual(chances[0], chances[1]);
  assert.notDeepEqual(chances[0], chances[2]);
  assert.equal(
    plans[0].reduce((sum, { messages }) => sum + messages, 0),
    100,
  );
  const few = { awake: ["a", "b", "c"], frozen: ["d"], leader: "a", capacity: 4 };
  const happens = Array.from({ length: 50 }, (_, n) => nextEvent(() => n / 50, few, kinds).kind);
  assert.deepEqual(new Set(happens), new Set(["thaw", "hide"]));
  assert.equal(
    nextEvent(() => 0, few, ["close"]),
    undefined,
  );
});

test("a long run must have hit the leading tab with each kind", () => {
  assert.deepEqual([1, 5, 6, 12, 18, 30].map(leastHit), [0, 0, 1, 2, 3, 3]);
});

test("a backend under test ends with the program that has started it", async () => {
  const code =
    "import { startReference } from '@chatwire/test-servers/reference'; console.log((await startReference()).origin);";
  const args = ["--input-type=module", "--eval", code];
  const cwd = import.meta.dirname;
  const program = start(process.execPath, args, { cwd, stdio: ["ignore", "pipe", "inherit"] });
  const [origin] = await once(createInterface({ input: program.stdout }), "line");
  const isThere = () =>
    fetch(`${origin}/test/sockets`).then(
      () => true,
      () => false,
    );
  assert.ok(await isThere());
  const ended = once(program, "exit");
  program.kill("SIGTERM");
  assert.deepEqual(await ended, [143, null]);
  await until("the backend to be gone", async () => !(await isThere()));
});

test("ten tabs come and go: one socket, each message once and in order, all agree", async () => {
  const run = { rounds: 3, seed: 3, messages: 120, tabs: 10, kinds, say: console.log };
  assert.deepEqual(await crowdRun(run), []);
});
