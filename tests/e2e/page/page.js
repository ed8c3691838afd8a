// The page that the tests drive: one client of the built package, its events, and calls whose errors keep their code.
import "./pages.js";
import "./store.js";
import "./wire.js";
import { ChatError, createChat } from "/chatwire/dist/index.js";
import { tasks, watchTasks } from "./tasks.js";
import { facts, tell } from "./tell.js";
import { stallAt } from "./wire.js";

const eventNames = [
  "message",
  "messageUpdated",
  "status",
  "typing",
  "presence",
  "conversation",
  "connection",
  "connected",
  "disconnected",
  "error",
  "authError",
  "protocolError",
  "storageDegraded",
  "gap",
  "leader",
  "phase",
];

let chat;
let load;
const events = [];
const timelines = new Map();
const windows = [];

const harness = {
  facts,
  events,
  stallAt,

  /** Opens the client; gives `{error}` where that is refused. Functions cannot come from the test: `login` stands in. */
  create({ login, ...options }) {
    return attempt(async () => {
      const getToken = login && tokensFrom(login);
      chat = await createChat({ ...options, ...(getToken && { getToken }) });
      for (const event of eventNames) {
        chat.on(event, (...args) => events.push({ event, args: args.map(plain) }));
      }
      chat.on("status", ({ rowKey, status, failure }) =>
        tell({ kind: status, key: rowKey, failure: failure?.code ?? null }),
      );
      chat.on("phase", (phase) => tell({ kind: "phase", phase }));
      chat.on("storageDegraded", ({ message }) => tell({ kind: "storageDegraded", message }));
      // Before anybody could listen.
      const { persistent } = await chat.diagnostics();
      if (!persistent && options.storage !== "memory")
        tell({ kind: "storageDegraded", message: "from the start" });
      for (const event of ["connection", "leader"]) {
        chat.on(event, () => {
          const { state, reason, leader } = chat.connection;
          tell({ kind: "connection", state, reason, leader });
        });
      }
    });
  },

  /** Connects and does not wait for it: without a network it stays pending. What it rejects with is an event. */
  startConnect() {
    chat.connect().catch((error) => events.push({ event: "connectRejected", args: [plain(error)] }));
  },

  /** Calls a method of the client; gives `{value}` or `{error}`. */
  call: (method, ...args) => attempt(() => chat[method](...args)),

  /** The snapshot of a timeline, which stays open; `loadWhole` widens it to the whole history. */
  timeline(conversationId) {
    return plainSnapshot(timelineOf(conversationId).getSnapshot());
  },

  loadWhole: (conversationId) => whole(timelineOf(conversationId)),

  /** How far `knowledge` has come. */
  windows: () => windows.map(inShort),

  /** The timelines that are open, in short. */
  openWindows: () => [...timelines.values(), ...windows].map(inShort),

  /** Resolves as soon as the client is in this phase; nothing is asked of the page meanwhile. */
  untilPhase: (phase) =>
    new Promise((resolve) => {
      if (facts.findLast(({ kind }) => kind === "phase")?.phase === phase) return resolve();
      const off = chat.on("phase", (now) => {
        if (now !== phase) return;
        off();
        resolve();
      });
    }),

  /** Resolves as soon as this many `message` events have come. */
  untilTold: (count) =>
    new Promise((resolve) => {
      let missing = count - events.filter(({ event }) => event === "message").length;
      if (missing <= 0) return resolve();
      const off = chat.on("message", () => {
        missing -= 1;
        if (missing > 0) return;
        off();
        resolve();
      });
    }),

  /** The `message` events in short: `[conversationId, id, live]` each, in the order of their coming. */
  told: () =>
    events
      .filter(({ event }) => event === "message")
      .map(({ args: [message, { live }] }) => [message.conversationId, message.id, live]),

  /** How many facts of a kind there are. */
  count: (kind) => facts.filter((fact) => fact.kind === kind).length,

  watchTasks,
  tasks,
  connection: () => chat.connection,
  /** The backend's own events. */
  wire: () => chat.wire,

  guarantees: () => chat.guarantees,
  conversation: (id) => chat.conversation(id).getSnapshot(),
  conversations: () => chat.conversations().getSnapshot(),
  typing: (id) => chat.typing(id),

  /** Sends without end into several conversations, each by itself, until `stopLoad`. */
  startLoad({ conversations, round, burst, gapMs }) {
    load = { running: true };
    load.done = Promise.all(conversations.map((id) => keepSending(load, id, { round, burst, gapMs })));
  },

  async stopLoad() {
    load.running = false;
    await load.done;
  },

  /** Calls `send` for each `[conversationId, text]` in turn and waits for none: what became of it is told. */
  sendEach(rows) {
    for (const [conversationId, text] of rows) sendOne(conversationId, text);
  },

  /** What this tab knows of these conversations, histories whole, in as few words as can be compared. */
  async knowledge(ids) {
    windows.length = 0;
    const conversations = Object.fromEntries(
      // At once: in a hidden tab each step may take the second that its timers are held back for.
      await Promise.all(ids.map(async (id) => [id, await knowledgeOf(id)])),
    );
    const { leader, state } = chat.connection;
    return { leader, state, outbox: (await chat.outbox()).map(({ text }) => text), conversations };
  },
};

async function attempt(act) {
  try {
    return { value: plain(await act()) };
  } catch (error) {
    return { error: plain(error) };
  }
}

async function keepSending(load, conversationId, { round, burst, gapMs }) {
  for (let n = 1; load.running; n += burst) {
    const numbers = Array.from({ length: burst }, (_, i) => n + i);
    await Promise.all(numbers.map((n) => sendOne(conversationId, `${round}/${n}`)));
    await new Promise((resolve) => setTimeout(resolve, gapMs));
  }
}

async function sendOne(conversationId, text) {
  try {
    const { key } = await chat.send(conversationId, text);
    tell({ kind: "saved", key, conversationId, text, resolved: true });
  } catch (error) {
    tell({ kind: "notSaved", conversationId, text, code: error.code, message: error.message });
  }
}

function timelineOf(conversationId) {
  if (!timelines.has(conversationId)) timelines.set(conversationId, chat.timeline(conversationId));
  return timelines.get(conversationId);
}

function inShort(timeline) {
  const { messages, hasEarlier, loading } = timeline.getSnapshot();
  return { conversationId: timeline.conversationId, rows: messages.length, hasEarlier, loading };
}

async function whole(timeline) {
  await until(timeline, ({ loading }) => !loading);
  while (timeline.getSnapshot().hasEarlier) {
    const before = timeline.getSnapshot();
    await timeline.loadEarlier(500);
    await until(timeline, (now) => now !== before && !now.loading);
  }
  return plainSnapshot(timeline.getSnapshot());
}

function until(source, isWanted) {
  return new Promise((resolve) => {
    const look = () => {
      if (!isWanted(source.getSnapshot())) return;
      stop();
      resolve();
    };
    const stop = source.subscribe(look);
    look();
  });
}

async function knowledgeOf(conversationId) {
  const timeline = chat.timeline(conversationId);
  windows.push(timeline);
  const { messages, hasEarlier, error } = await whole(timeline);
  timeline.close();
  const rows = messages.map((m) => [m.id, m.text, m.status, m.sender]);
  const unread = chat.conversation(conversationId).getSnapshot()?.unread ?? null;
  return { rows, unread, hasEarlier, error: error?.code ?? null };
}

/** `{origin, name}`: our server's login and refresh (D5). `{prefix}`: a fresh `prefix#N` each time. */
function tokensFrom({ origin, name, prefix }) {
  let token;
  let count = 0;
  const ask = async (path, body, headers = {}) => {
    const response = await fetch(`${origin}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return (await response.json()).token;
  };
  return async ({ reason }) => {
    tell({ kind: "token", reason });
    if (prefix) return `${prefix}#${++count}`;
    if (token === undefined) token = await ask("/auth/login", { name });
    else if (reason !== "connect")
      token = await ask("/auth/refresh", {}, { authorization: `Bearer ${token}` });
    return token;
  };
}

function plainSnapshot(snapshot) {
  return { ...snapshot, error: plain(snapshot.error) };
}

/** What survives the way to the test. */
function plain(value) {
  if (!(value instanceof Error)) return value;
  const { name, message, code, retryable } = value;
  return { name: value instanceof ChatError ? "ChatError" : name, message, code, retryable };
}

globalThis.harness = harness;
