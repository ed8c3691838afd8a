// The run of `npm run beside`.
import { setTimeout } from "node:timers/promises";
import { connected, rest, sealed } from "@chatwire/test-servers/client";
import { startReference } from "@chatwire/test-servers/reference";
import { servePage } from "../lib/static.mjs";
import { until } from "../lib/until.mjs";
import { TabBrowser } from "./browser.mjs";

const clients = ["none", "chatwire", "socket-io"];
const names = { none: "empty pages", chatwire: "chatwire", "socket-io": "socket.io-client" };
const serverArgs = ["--rate-per-s", "5000", "--rate-burst", "5000"];
const historyCount = 60;
const windowCount = 50;
// A quick writer, and a length of nothing that shows what timers cost.
const gapMs = 25;
const idleMs = 10_000;
const mib = 1024 * 1024;

export async function besideRun({ tabs, messages, runs }) {
  const page = await servePage();
  const samples = Object.fromEntries(clients.map((client) => [client, []]));
  try {
    for (let run = 0; run < runs; run++) {
      // Turned round each time, so that what else the machine does falls on all.
      for (const client of run % 2 === 0 ? clients : clients.toReversed()) {
        console.log(`run ${run + 1} of ${runs}: ${names[client]}`);
        samples[client].push(await measure(page.url, client, { tabs, messages }));
      }
    }
  } finally {
    await page.close();
  }
  print(samples, { tabs, messages, runs });
}

/** A server, a browser and so many tabs of ana, at rest and while ben writes. */
async function measure(pageUrl, client, { tabs: count, messages }) {
  const server = await startReference(serverArgs);
  let browser;
  try {
    browser = await TabBrowser.open();
    const { ana, ben, conversationId } = await people(server);
    await ben.write("old", historyCount);
    const options = { client, url: server.url, token: ana.token, userId: ana.user.id, conversationId };
    const hash = encodeURIComponent(JSON.stringify({ ...options, count: windowCount }));
    const tabs = [];
    for (let i = 0; i < count; i++) {
      const tab = await browser.newTab(`${pageUrl}beside/index.html#${hash}`);
      await tab.until(`tab ${i + 1} of ${names[client]} to show the history`, () => globalThis.seen?.isOpen);
      tabs.push(tab);
    }
    const atRest = await settled(browser, tabs);
    await setTimeout(idleMs);
    const later = await browser.usage();
    const arriving = client === "none" ? {} : await arrival(browser, tabs, ben, messages);
    ben.close();
    return {
      sockets: await server.socketsOf(ana.user.id),
      memoryMib: atRest.pssBytes / mib,
      idleCpuMs: later.cpuMs - atRest.cpuMs,
      ...arriving,
    };
  } finally {
    await browser?.close();
    await server.close();
  }
}

async function people(server) {
  const [ana, login] = await Promise.all(["ana", "ben"].map((name) => server.login(name)));
  const ben = await connected(server.url, login.token);
  const call = rest(server.url, login.token);
  const { body } = await call("POST", "/api/conversations/direct", { user_id: ana.user.id });
  const conversationId = body.conversation.id;
  const write = async (name, count) => {
    for (let n = 1; n <= count; n++) {
      const began = performance.now();
      const row = {
        conversationId,
        contentEncrypted: sealed(`${name} ${n}`),
        clientMessageId: `${name}-${n}`,
      };
      const answer = await ben.ask("chat:message_send", row);
      if (!answer.success) throw new Error(`the server refused a message: ${JSON.stringify(answer)}`);
      await setTimeout(Math.max(0, gapMs - (performance.now() - began)));
    }
  };
  return { ana, ben: { write, close: () => ben.close() }, conversationId };
}

/** Until every tab has seen every message. */
async function arrival(browser, tabs, ben, messages) {
  const before = await browser.usage();
  await ben.write("new", messages);
  const written = performance.now();
  const all = Array.from({ length: messages }, (_, i) => `new ${i + 1}`);
  for (const tab of tabs) await tab.until("all messages in each tab", hasSeen, all);
  const behindMs = performance.now() - written;
  return { arrivalCpuMs: (await browser.usage()).cpuMs - before.cpuMs, behindMs };
}

/** In the page. */
function hasSeen(texts) {
  return texts.every((text) => seen.texts.has(text));
}

/** The usage after a garbage collection, once memory does not move any more: half a per cent in half a second. */
async function settled(browser, tabs) {
  for (const tab of tabs) await tab.collectGarbage();
  let last = await browser.usage();
  return until("the memory to settle", async () => {
    await setTimeout(500);
    const before = last;
    last = await browser.usage();
    return Math.abs(last.pssBytes - before.pssBytes) < before.pssBytes / 200 && last;
  });
}

function print(samples, { tabs, messages, runs }) {
  const of = (client, field) => median(samples[client].map((sample) => sample[field]));
  const empty = of("none", "memoryMib");
  const rows = clients.map((client) => [
    names[client],
    of(client, "sockets"),
    client === "none" ? `(${empty.toFixed(0)})` : (of(client, "memoryMib") - empty).toFixed(1),
    of(client, "idleCpuMs"),
    client === "none" ? "" : of(client, "arrivalCpuMs"),
    client === "none" ? "" : of(client, "behindMs").toFixed(0),
  ]);
  const cpu = `CPU ms, ${messages} messages`;
  const heads = [
    "",
    "sockets",
    "PSS MiB beyond",
    `CPU ms, ${idleMs / 1000} s idle`,
    cpu,
    "last tab behind, ms",
  ];
  console.log(`\n${tabs} tabs of one user, median of ${runs} runs\n`);
  for (const row of [heads, ...rows]) {
    console.log(row.map((cell, at) => String(cell).padStart(Math.max(heads[at].length, 17))).join("  "));
  }
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}
