// One round: messages from random tabs and from ben, while things happen to tabs; then everybody wakes, and all is compared.
import { setTimeout } from "node:timers/promises";
import { until, WaitedInVain } from "../lib/until.mjs";
import { hangMs, nextEvent, oneOf, takeoverBoundsMs } from "./plan.mjs";
import { socketsOf, takeoverOverlapMs } from "./sockets.mjs";
import { disagreements, violationsOfLog } from "./verify.mjs";

const burst = 3;
// The pace of writers, and of what happens to tabs.
const longestGapMs = 250;
const longestPauseMs = 400;
const settlePatienceMs = 30_000;
/** Beyond its bound a takeover is still waited for, so that it is known how long it took. */
const graceMs = 5_000;
const now = () => performance.now();

/** @returns `{sent, events, sockets, violations, loadMs, tookMs}` */
export async function playRound(scene, plan, { round, kinds }) {
  const began = now();
  scene.facts = [];
  await scene.fill();
  await someoneLeads(scene, settlePatienceMs);
  const before = scene.sent.size;
  const [events] = await Promise.all([
    happen(scene, plan, kinds),
    write(scene, plan, round),
    benWrites(scene, plan, round),
  ]);
  for (const member of scene.frozen) await member.thaw();
  await until("the loops to end", () => scene.hung.length === 0, { patienceMs: 2 * hangMs });
  const loadMs = now() - began;
  const violations = [...violationsOfTakeovers(events), ...(await settle(scene)), ...(await verify(scene))];
  const { sockets, violations: ofSockets } = await verifySockets(scene, events);
  violations.push(...ofSockets);
  return { sent: scene.sent.size - before, events, sockets, violations, loadMs, tookMs: now() - began };
}

// ── the load ────────────────────────────────────────────────────────────────

async function write(scene, { messages, words }, round) {
  for (let n = 0; n < messages; ) {
    const member = oneOf(words, scene.awake);
    const rows = [];
    const count = Math.min(messages - n, 1 + Math.floor(words() * burst));
    for (let i = 0; i < count; i++) {
      const [conversationId, text] = [oneOf(words, scene.conversations), `${round}/${++n}`];
      const row = { text, conversationId, tab: member.number, call: scene.sent.size, calledAt: now() };
      scene.sent.set(text, row);
      rows.push([conversationId, text]);
    }
    await member.sendEach(rows);
    await setTimeout(words() * longestGapMs);
  }
}

/** Half as many as ana. */
async function benWrites(scene, { messages, ben }, round) {
  for (let n = 1; n <= messages / 2; n++) {
    await scene.benWrites(oneOf(ben, scene.conversations), `ben ${round}/${n}`);
    await setTimeout(ben() * longestGapMs);
  }
}

// ── what happens to tabs ────────────────────────────────────────────────────

async function happen(scene, { events, moments }, kinds) {
  const happened = [];
  for (let n = 0; n < events; n++) {
    await setTimeout(moments() * longestPauseMs);
    const event = nextEvent(moments, scene, kinds);
    if (event) happened.push(await strike(scene, event));
  }
  return happened;
}

/** @returns `{kind, tab, wasLeading, frozen, takeoverMs}`; without `takeoverMs` nobody had to take over, or nobody did. */
async function strike(scene, { kind, tab: member }) {
  const isTaking = kind in takeoverBoundsMs;
  const event = { kind, tab: member?.number, wasLeading: isTaking && scene.leader === member };
  event.frozen = scene.frozen.length;
  const at = now();
  await act[kind](scene, member);
  if (!event.wasLeading) return event;
  const next = await someoneLeads(scene, takeoverBoundsMs[kind] + graceMs, at);
  if (next) return { ...event, takeoverMs: next.connection.heardAt - at };
  // So that the round can go on: what is frozen may be what the others wait for.
  for (const frozen of scene.frozen) await frozen.thaw();
  return event;
}

const act = {
  open: (scene) => scene.openTab(),
  close: (scene, member) => scene.remove(member),
  async crash(scene, member) {
    await member.tab.crash();
    // Others may have lived in its renderer.
    for (const dead of scene.members.filter(({ isAlive }) => !isAlive)) await scene.remove(dead);
  },
  freeze: (scene, member) => scene.freeze(member),
  hang: (scene, member) => scene.hang(member, hangMs),
  thaw: (_, member) => member.thaw(),
  hide: (scene, member) => scene.bringToFront(member),
};

/** The tab that leads by what was heard since `since`; undefined where none does in time. */
function someoneLeads(scene, patienceMs, since = 0) {
  const leading = () => (scene.leader?.connection.heardAt >= since ? scene.leader : undefined);
  return until("a tab that leads", leading, { patienceMs }).catch(passOverWait);
}

function violationsOfTakeovers(events) {
  return events.flatMap(({ kind, tab, wasLeading, frozen, takeoverMs }) => {
    const bound = takeoverBoundsMs[kind];
    if (!wasLeading || takeoverMs <= bound) return [];
    const what = `${kind} of the leading tab ${tab} (${frozen} others frozen)`;
    if (takeoverMs === undefined) return [`${what}: nobody led within ${bound + graceMs} ms`];
    return [`${what}: the next led after ${takeoverMs.toFixed(0)} ms, ${bound} are allowed`];
  });
}

// ── what has become of it ───────────────────────────────────────────────────

/** Each send() in a tab that lives has resolved. */
async function settle(scene) {
  const isDone = () => scene.unsettled().length === 0;
  await until("every send", isDone, { patienceMs: settlePatienceMs }).catch(passOverWait);
  const open = scene.unsettled().map(({ text, tab }) => `send(${text}) in tab ${tab} is not settled`);
  const refused = [...scene.sent.values()].filter(({ code }) => code !== undefined);
  for (const row of refused) {
    open.push(`send(${row.text}) in tab ${row.tab} rejected with ${row.code}`);
    row.code = undefined;
  }
  return open;
}

async function verify(scene) {
  let apart = ["nothing was compared"];
  const agree = async () => {
    const logs = await scene.histories();
    const views = await Promise.all(scene.members.map((member) => member.knowledge(scene.conversations)));
    apart = disagreements(views, logs);
    return apart.length === 0;
  };
  // What kept them from it is said in `apart`.
  await until("all tabs to agree", agree, { patienceMs: settlePatienceMs }).catch(passOverWait);
  const logs = await scene.histories();
  const sent = [...scene.sent.values()];
  const ofLogs = scene.conversations.flatMap((id) => {
    const sentTo = sent.filter(({ conversationId }) => conversationId === id);
    return violationsOfLog(id, logs[id], sentTo);
  });
  return [...ofLogs, ...apart];
}

async function verifySockets(scene, events) {
  const { now_ms, connections } = await scene.server.connections(scene.ana.id);
  // What has ended is looked at once.
  await scene.server.disarm();
  const sockets = socketsOf(connections, now_ms);
  const violations = [];
  const { overlapMs, mostAtOnce, gapMs } = sockets;
  const hit = events.filter(({ wasLeading }) => wasLeading).map(({ kind }) => kind);
  // A page in a loop cannot close its socket; it sends nothing on it, and closes it as soon as it runs.
  const allowedMs = hit.includes("hang") ? hangMs : takeoverOverlapMs;
  if (overlapMs > allowedMs) {
    violations.push(`${mostAtOnce} sockets for ${overlapMs} ms, ${allowedMs} are allowed`);
  }
  const bound = Math.max(...["close", ...hit].map((kind) => takeoverBoundsMs[kind]));
  if (gapMs > bound) violations.push(`no socket for ${gapMs} ms, ${bound} are allowed`);
  return { sockets, violations };
}

/** What was waited for in vain is looked at by the caller; anything else is an error of the run. */
function passOverWait(error) {
  if (!(error instanceof WaitedInVain)) throw error;
}
