// The works: each gives the milliseconds that it took, until what it brings is in the snapshot and on disk.
import { idOf, textOf } from "../texts.js";
import { openBare, receive, writePacked, writeRow } from "./contenders/limit.js";
import { memoryBytes } from "./memory.js";

async function control(url, what, order) {
  const response = await fetch(`${url}/control/${what}`, { method: "POST", body: JSON.stringify(order) });
  if (!response.ok) throw new Error(`${what}: ${await response.text()}`);
  return response.json();
}

/** Until the list names message `seq` as the last of each conversation, and the window, where there is one, ends with it. */
function upTo(client, conversations, seq) {
  return new Promise((resolve) => {
    const look = () => {
      const { list, rows } = client.snapshot;
      const isThere =
        list.length === conversations && list.every(({ lastMessage }) => lastMessage?.seq === seq);
      if (!isThere || rows.at(-1)?.seq !== seq) return;
      stop();
      resolve();
    };
    const stop = client.subscribe(look);
    look();
  });
}

/** So that the conversations are known, and what is there. */
async function visitOnce(contender, options) {
  const client = await contender.open(options);
  await client.connect();
  await client.close();
}

/** Connected, with a window on the first conversation. */
async function shown(contender, { url, userId }) {
  const client = await contender.open({ url, userId });
  await client.connect();
  await client.show(idOf(userId, 0));
  return client;
}

const isLimit = (contender) => contender.openBare !== undefined;

/** W1: each conversation is told `each` messages, in turn, a frame each. */
export async function burst(contender, { url, userId, conversations, each }, calm) {
  await control(url, "world", { user: userId, conversations });
  const start = () => control(url, "burst", { user: userId, each });
  if (isLimit(contender)) {
    const limit = await receive({ url, userId }, conversations * each);
    await calm();
    const ms = await timed(() => Promise.all([start(), limit.all]));
    limit.close();
    const db = await openBare(userId);
    return { ms, packedMs: await timed(() => writePacked(db, conversations * each)) };
  }
  const client = await shown(contender, { url, userId });
  await calm();
  return untilStored(client, () => Promise.all([start(), upTo(client, conversations, each)]));
}

/** W6: what the page holds after W1, in MB, its client open. */
export async function memory(contender, { url, userId, conversations, each }, calm) {
  await control(url, "world", { user: userId, conversations });
  const client = await shown(contender, { url, userId });
  await Promise.all([control(url, "burst", { user: userId, each }), upTo(client, conversations, each)]);
  await calm();
  const ms = (await memoryBytes()) / 2 ** 20;
  await client.close();
  return { ms };
}

/** W10: `each` messages of one conversation within `overMs`, shown by React; `ms` are its commits. */
export async function rows(contender, { url, userId, conversations, each, overMs }, calm) {
  const { watchRows } = await import("./react.js");
  await control(url, "world", { user: userId, conversations });
  const client = await contender.open({ url, userId });
  await client.connect();
  const watched = watchRows(client.chat, idOf(userId, 0));
  await calm();
  watched.reset();
  await Promise.all([control(url, "burst", { user: userId, each, overMs }), watched.seen(each)]);
  const { commits, rowsRendered, frames } = watched.stop();
  await client.close();
  return { ms: commits, rowsRendered, frames };
}

/** W8: one of several tabs, from when it has told that it is there until it shows the last message. */
export async function tab(contender, order) {
  const { url, userId, conversations, each, tabs } = order;
  for (let beside = 1; beside < tabs; beside++) {
    // Without an opener each is a page of its own, as if the user had opened it.
    open(`#${encodeURIComponent(JSON.stringify({ ...order, tabs: 1 }))}`, "_blank", "noopener");
  }
  const client = await shown(contender, { url, userId });
  await fetch("/result", { method: "POST", body: "{}" });
  await upTo(client, conversations, each);
  return {};
}

/** W2: one message each is known, `each` more were missed. */
export async function catchUp(contender, { url, userId, conversations, each }, calm) {
  await control(url, "world", { user: userId, conversations });
  await control(url, "add", { user: userId, each: 1 });
  await visitOnce(contender, { url, userId });
  await control(url, "add", { user: userId, each });
  const client = await contender.open({ url, userId });
  await client.show(idOf(userId, 0));
  await calm();
  return untilStored(client, () => Promise.all([client.connect(), upTo(client, conversations, 1 + each)]));
}

/** W3: of a store that `catchUp` has filled, without a network, from the first import on. */
export async function start(load, { url, userId, conversations, each, rows }, calm) {
  await calm();
  let client;
  const ms = await timed(async () => {
    client = await (await load()).open({ url, userId });
  });
  const { snapshot } = client;
  if (snapshot.list.length !== conversations) throw new Error(`${snapshot.list.length} conversations`);
  const last = snapshot.rows.slice(-rows);
  if (last.length !== rows || last.some(({ seq }, at) => seq !== 1 + each - rows + 1 + at)) {
    throw new Error(`the window holds ${last.length} of ${rows} messages`);
  }
  return { ms };
}

/** W4: `each` messages of each conversation were queued offline. */
export async function flush(contender, { url, userId, conversations, each, ackDelayMs }, calm) {
  await control(url, "world", { user: userId, conversations, ackDelayMs });
  if (isLimit(contender)) return { ms: await bareRows(userId, each, calm) };
  await visitOnce(contender, { url, userId });
  const first = await contender.open({ url, userId });
  for (let seq = 1; seq <= each; seq++) {
    const row = Array.from({ length: conversations }, (_, number) => number);
    await Promise.all(row.map((number) => first.send(idOf(userId, number), textOf(number, seq))));
  }
  await first.close();
  const client = await contender.open({ url, userId });
  await calm();
  const ms = await timed(async () => {
    await client.connect();
    await client.flushed;
    await client.close();
  });
  const log = await control(url, "log", { user: userId });
  const isGood = log.every(
    (texts, number) => texts.length === each && texts.every((text, at) => text === textOf(number, at + 1)),
  );
  if (!isGood) throw new Error("the server has not each message once and in order");
  return { ms };
}

async function bareRows(userId, count, calm) {
  const db = await openBare(userId);
  await calm();
  return timed(async () => {
    for (let at = 0; at < count; at++) await writeRow(db, at, textOf(0, at + 1));
  });
}

/** W5: `alone` messages one after the other, then `together` at once; offline, until each is on disk. */
export async function send(contender, { url, userId, alone, together }, calm) {
  await control(url, "world", { user: userId, conversations: 1 });
  let act;
  if (isLimit(contender)) {
    const db = await openBare(userId);
    act = (at) => writeRow(db, at, textOf(0, at + 1));
  } else {
    await visitOnce(contender, { url, userId });
    const client = await contender.open({ url, userId });
    act = (at) => client.send(idOf(userId, 0), textOf(0, at + 1));
  }
  await calm();
  const times = [];
  for (let at = 0; at < alone; at++) times.push(await timed(() => act(at)));
  times.sort((a, b) => a - b);
  const numbers = Array.from({ length: together }, (_, at) => alone + at);
  return {
    ms: times[Math.floor(alone / 2)],
    p99Ms: times[Math.floor(alone * 0.99)],
    burstMs: await timed(() => Promise.all(numbers.map(act))),
  };
}

/** `seenMs`: until it is in the snapshot; `ms`: until it is on disk, too. */
async function untilStored(client, act) {
  const began = performance.now();
  await act();
  const seenMs = performance.now() - began;
  await client.close();
  return { seenMs, ms: performance.now() - began };
}

async function timed(act) {
  const began = performance.now();
  await act();
  return performance.now() - began;
}
