import { expect, test } from "vitest";
import { ChatError, type ChatOptions, createChat } from "../src/index.js";
import { chatOf, next, optionsFor, pair, serve } from "./support.js";

const nowhere = { url: "http://127.0.0.1:9" };

test("a wrong option is refused at construction: its name and what is allowed", async () => {
  const wrong: [Partial<ChatOptions> | Record<string, unknown>, RegExp][] = [
    [{ url: "ftp://host" }, /url.*ftp:\/\/host.*wss/s],
    [{ url: "http://chat.example.com" }, /url.*allowInsecure/s],
    [{ profile: "nobody" }, /profile.*nobody.*team/s],
    [{ userId: "" }, /userId/],
    [{ outbox: { window: 0 } }, /outbox\.window.*0.*1 to 256/s],
    [{ outbx: {} }, /outbx.*unknown/s],
    [{ getToken: "user:ana" }, /getToken/],
    [{ getToken: undefined }, /getToken|token/],
    [{ isAuthError: "auth" as never }, /^isAuthError: got string, allowed: a function$/],
    [{ wasm: 7 as never }, /^wasm: got number, allowed: an address, the bytes/],
    [{ outbox: { window: Number.NaN } }, /^outbox\.window: got NaN, allowed: a whole number from 1 to 256$/],
    [{ reconnect: { maxAttempts: Infinity } }, /^reconnect\.maxAttempts: got Infinity, allowed: .* or null$/],
    [{ userId: (() => "ana") as never }, /^userId: got a function, allowed: a text/],
    [{ userId: Symbol("ana") as never }, /^userId: got a symbol, allowed/],
    [{ limits: { maxTextLength: 5n as never } }, /^limits\.maxTextLength: got a bigint, allowed/],
    [{ storage: (() => {}) as never }, /^storage: got a function, allowed: "indexeddb"/],
    [{ timezone: "Europe/Atlantis" }, /^timezone: got "Europe\/Atlantis", allowed: .*Europe\/Paris/],
    [{ hasGetToken: true }, /^hasGetToken: unknown option/],
    [{ getTokn: "x" }, /^getTokn: unknown option, allowed: .*\bgetToken, token, isAuthError\b/],
    [{ userId: "ana\r\n" }, /^userId: got .*control character/],
    [{ getToken: undefined, token: "hunter2\n" }, /^token: got (?!.*hunter2).*control character/],
  ];
  for (const [option, message] of wrong) {
    const options = { ...optionsFor(nowhere, "ana"), ...option } as ChatOptions;
    const error = await createChat(options).catch((error: unknown) => error);
    expect(error, String(message)).toBeInstanceOf(ChatError);
    expect(error).toMatchObject({ code: "config", retryable: false });
    expect((error as ChatError).message).toMatch(message);
  }
  await expect(createChat(null as never)).rejects.toMatchObject({ code: "config" });
});

const boom = new Error("of the application");
const throwing = (name: string) => Object.defineProperty({}, name, { enumerable: true, get: fail }) as never;
function fail(): never {
  throw boom;
}

test("options whose getters throw are refused with config", async () => {
  for (const options of [
    new Proxy({}, { ownKeys: fail }),
    new Proxy(optionsFor(nowhere, "ana"), { get: fail }),
    { ...optionsFor(nowhere, "ana"), outbox: throwing("window") },
  ]) {
    await expect(createChat(options as never)).rejects.toMatchObject({
      name: "ChatError",
      code: "config",
      cause: boom,
    });
  }
});

test("an exception of what the application passed is its own: validation, and the client goes on", async () => {
  const chat = await chatOf(nowhere, "ana");
  let asked = 0;
  // Writes itself the first time only.
  const moody = { toJSON: () => (asked++ === 0 ? { mood: "good" } : fail()) };
  const sent = await chat.send("c", { text: "a", metadata: moody as never });
  expect(sent.metadata).toEqual({ mood: "good" });
  for (const call of [
    () => chat.send("c", { text: "a", metadata: { toJSON: fail } as never }),
    () => chat.send("c", { text: "a", metadata: throwing("mood") }),
    () => chat.send("c", throwing("text")),
    () => chat.send("c", "a", throwing("key")),
    () => chat.createGroup(throwing("title")),
    () => chat.createGroup({ title: "a", members: Object.defineProperty(["ben"], 0, { get: fail }) }),
    () => chat.wire.send("e", throwing("a")),
    () => chat.wire.send("e", {}, throwing("ack")),
    () => chat.connect(throwing("signal")),
  ]) {
    await expect(call()).rejects.toMatchObject({ name: "ChatError", code: "validation", cause: boom });
  }
  await expect(chat.send("c", 5 as never)).rejects.toThrow(
    "content must be a text or an object with text, not number",
  );
  await expect(chat.connect({ signal: 5 as never })).rejects.toThrow(/^signal must be an AbortSignal/);
  expect(chat.connection.state).toBe("idle");
  expect((await chat.outbox()).map(({ key }) => key)).toEqual([sent.key]);
});

test("connect takes null for no options", async () => {
  const chat = await chatOf(await serve(), "ana");
  await chat.connect(null);
  expect(chat.connection.state).toBe("online");
});

test("a user id that is a number is told as text, and a URL may be an object", async () => {
  const chat = await chatOf(nowhere, "ana", { userId: 42 as never, url: new URL(nowhere.url) as never });
  expect(chat.userId).toBe("42");
});

test("a wrong argument rejects with its name and what was given, never with its content", async () => {
  const chat = await chatOf(nowhere, "ana");
  const calls: [string, () => Promise<unknown>][] = [
    ["conversationId", () => chat.send(7 as never, "text")],
    ["conversationId", () => chat.send("", "text")],
    ["text", () => chat.send("c", { text: 7 as never })],
    ["content", () => chat.send("c", null as never)],
    ["metadata", () => chat.send("c", { text: "a", metadata: 1n as never })],
    ["replyTo", () => chat.send("c", { text: "a", replyTo: "" })],
    ["ttlMs", () => chat.send("c", "a", { ttlMs: -1 })],
    ["ttlMs", () => chat.send("c", "a", { ttlMs: 1.5 })],
    ["key", () => chat.send("c", "a", { key: {} as never })],
    ["key", () => chat.acknowledged(undefined as never)],
    ["key", () => chat.cancel([] as never)],
    ["userId", () => chat.createDirect(1 as never)],
    ["title", () => chat.createGroup({ title: "", members: ["ben"] })],
    ["members", () => chat.createGroup({ title: "a", members: "ben" as never })],
    ["members[1]", () => chat.createGroup({ title: "a", members: ["ben", 1 as never] })],
    ["rowKey", () => chat.markRead("c", null as never)],
    ["event", () => chat.wire.send("", {})],
    ["payload", () => chat.wire.send("e", (() => {}) as never)],
  ];
  for (const [name, call] of calls) {
    const error = await call().catch((error: unknown) => error);
    expect(error, name).toMatchObject({ name: "ChatError", code: "validation", retryable: false });
    expect((error as ChatError).message.startsWith(`${name} `)).toBe(true);
  }
  expect(() => chat.on("message", 7 as never)).toThrow(/^listener must be a function, not number/);
  expect(() => chat.timeline("")).toThrow(/^conversationId must be a non-empty string/);
  expect(() => chat.setTyping("c", "yes" as never)).toThrow(/^typing must be a boolean/);
});

test("what the core refuses rejects with its code, and nothing is queued", async () => {
  const { ana, id } = await pair(await serve());
  await expect(ana.send(id, "")).rejects.toMatchObject({ name: "ChatError", code: "validation" });
  await expect(ana.send(id, "x".repeat(10_001))).rejects.toMatchObject({ code: "tooLarge" });
  await expect(ana.send("no such conversation", "hello")).rejects.toMatchObject({ code: "notFound" });
  await expect(ana.acknowledged("no such key")).rejects.toMatchObject({ code: "notFound" });
  await ana.send(id, "one", { key: "my-key" });
  await expect(ana.send(id, "other", { key: "my-key" })).rejects.toMatchObject({ name: "ChatError" });
  expect((await ana.outbox()).length).toBeLessThanOrEqual(1);
});

test("a timeline of an unknown conversation is empty or says so; it never throws", async () => {
  const { ana } = await pair(await serve());
  const timeline = ana.timeline("no such conversation");
  await ana.outbox();
  expect(timeline.getSnapshot().messages).toEqual([]);
});

test("connect: a signal ends the waiting, with its reason as the cause", async () => {
  const chat = await chatOf(nowhere, "ana");
  const reason = new Error("changed my mind");
  const early = chat.connect({ signal: AbortSignal.abort(reason) });
  await expect(early).rejects.toMatchObject({ code: "cancelled", cause: reason });
  expect(chat.connection.state).toBe("idle");

  const abort = new AbortController();
  const late = chat.connect({ signal: abort.signal });
  abort.abort(reason);
  await expect(late).rejects.toMatchObject({ code: "cancelled", cause: reason });
});

test("connect rejects when its attempts are used up", async () => {
  const chat = await chatOf(nowhere, "ana", { reconnect: { baseDelayMs: 1, maxDelayMs: 1, maxAttempts: 2 } });
  await expect(chat.connect()).rejects.toBeInstanceOf(ChatError);
  expect(chat.connection.state).toBe("failed");
});

test("a token refused twice is authError; getToken heard why it was asked", async () => {
  const server = await serve();
  const reasons: string[] = [];
  const getToken: ChatOptions["getToken"] = ({ reason }) => {
    reasons.push(reason);
    return "bad";
  };
  const chat = await chatOf(server, "ana", { getToken });
  const told = next(chat, "authError");
  await expect(chat.connect()).rejects.toMatchObject({ code: "auth" });
  expect((await told)[0]).toMatchObject({ name: "ChatError", code: "auth" });
  expect(reasons).toEqual(["connect", "refused"]);
  expect(chat.connection.state).toBe("failed");
});

test("a token of another user is authError, and nothing that is queued goes out", async () => {
  const server = await serve();
  const { ana, id } = await pair(server);
  ana.disconnect();
  const chat = await chatOf(server, "ana", { getToken: () => "user:ben" });
  const told = next(chat, "authError");
  const { key } = await chat.send(id, "from ana alone");
  chat.connect().catch(() => {});
  const [error] = await told;
  expect(error.code).toBe("auth");
  expect(error.message).toMatch(/userId belong to different users/);
  expect(error.message).not.toContain("ben");
  expect(chat.connection).toMatchObject({ state: "failed", reason: "auth" });
  expect((await chat.outbox()).map((message) => message.key)).toEqual([key]);
  expect(server.log(id)).toEqual([]);
});

test("a refused token is renewed once, and the connection goes on", async () => {
  const server = await serve();
  const getToken: ChatOptions["getToken"] = async ({ reason }) =>
    reason === "refused" ? "user:ana#2" : "expired";
  const chat = await chatOf(server, "ana", { getToken });
  await chat.connect();
  expect(chat.connection.state).toBe("online");
});

test("close ends what is pending with closed, and so every later call", async () => {
  const server = await serve();
  const { ana: chat, id } = await pair(server);
  const timeline = chat.timeline(id);
  server.faults.withholdAck();
  const { key } = await chat.send(id, "stays in the store");
  const pending = expect(chat.acknowledged(key ?? "")).rejects.toMatchObject({
    name: "ChatError",
    code: "closed",
  });
  const closing = chat.close();
  expect(chat.close()).toBe(closing);
  await expect(chat.send(id, "too late")).rejects.toMatchObject({ code: "closed" });
  await Promise.all([closing, pending]);

  await expect(chat.connect()).rejects.toMatchObject({ code: "closed" });
  await expect(chat.outbox()).rejects.toMatchObject({ code: "closed" });
  await expect(chat.wire.send("event")).rejects.toMatchObject({ code: "closed" });
  expect(() => chat.timeline(id)).toThrow(expect.objectContaining({ code: "closed" }));
  expect(() => chat.diagnostics()).toThrow(expect.objectContaining({ code: "closed" }));
  chat.disconnect();
  timeline.close();
  expect(chat.connection.state).toBe("closed");
  expect(timeline.getSnapshot().messages).toHaveLength(1);
});

test("a listener that throws disturbs neither the others nor the client", async () => {
  const { ana, ben, id } = await pair(await serve());
  const error = new Error("of the application");
  const reported: unknown[] = [];
  const original = console.error;
  console.error = (error) => reported.push(error);
  ben.on("message", () => {
    throw error;
  });
  const heard = next(ben, "message");
  await ana.send(id, "hello");
  await heard;
  console.error = original;
  expect(reported).toEqual([error]);
});

test("wire: the backend's own events by their own names", async () => {
  const { ana } = await pair(await serve());
  const heard: unknown[][] = [];
  const off = ana.wire.on("chat:unknown", (...args) => heard.push(args));
  expect(ana.wire.listenerCount("chat:unknown")).toBe(1);
  expect(await ana.wire.send("chat:unknown", { a: 1 })).toBeNull();
  await expect(ana.wire.send("chat:unknown", {}, { ack: true, timeoutMs: 50 })).rejects.toMatchObject({
    code: "timeout",
  });
  off();
  expect(heard).toEqual([]);
});

test("why getToken failed is told where it says so in words of ours, and only then", async () => {
  const ends: [unknown, string][] = [
    [new ChatError("auth", "sign in again"), "sign in again"],
    [new TypeError("secret"), "it was rejected with TypeError"],
    ["secret", "it was rejected with an exception"],
  ];
  for (const [error, why] of ends) {
    const chat = await chatOf(nowhere, "ana", { getToken: () => Promise.reject(error) });
    const failure = { code: "auth", message: expect.stringContaining(`getToken failed: ${why}`) };
    await expect(chat.createDirect("ben")).rejects.toMatchObject(failure);
    const told = next(chat, "connection", ({ state }) => state === "waiting");
    chat.connect().catch(() => {});
    expect((await told)[0].reason).toBe(`getToken failed: ${why}`);
  }
});

test("a wrong url is told as what it may be", async () => {
  const chat = await chatOf(nowhere, "ana");
  const told = next(chat, "connection", ({ reason }) => reason?.includes("is `url` right") ?? false);
  chat.connect().catch(() => {});
  const [{ state, reason }] = await told;
  expect(state).toBe("waiting");
  expect(reason).not.toContain("user:ana");
});

test("getToken must give a string, without line breaks", async () => {
  for (const token of [undefined as never, "hunter2\n"]) {
    const chat = await chatOf(nowhere, "ana", { getToken: () => token });
    const told = next(chat, "connection", ({ state }) => state === "waiting" || state === "failed");
    chat.connect().catch(() => {});
    const [connection] = await told;
    expect(connection.reason).toMatch(/getToken\(\) must resolve to a non-empty string/);
    expect(connection.reason).not.toContain("hunter2");
  }
});

test("a misspelt event or option is refused, with those that there are", async () => {
  const chat = await chatOf(nowhere, "ana");
  const misspelt = [
    () => chat.on("mesage" as never, () => {}),
    () => chat.once("toString" as never, () => {}),
    () => chat.on(7 as never, () => {}),
  ];
  for (const on of misspelt) expect(on).toThrow(/^there is no event .*: there are message, .*chat\.wire\.on/);
  const calls: [Promise<unknown>, RegExp][] = [
    [chat.send("r", "x", { ttl: 5 } as never), /^options has no field "ttl": there are ttlMs, key$/],
    [
      chat.send("r", { text: "x", reply: "y" } as never),
      /^content has no field "reply": there are text, type/,
    ],
    [chat.connect({ sginal: null } as never), /^options has no field "sginal": there are signal$/],
    [chat.createGroup({ title: "t", members: [], titel: "" } as never), /^group has no field "titel"/],
    [
      chat.wire.send("e", null, { timeout: 5 } as never),
      /^options has no field "timeout": there are ack, timeoutMs$/,
    ],
  ];
  for (const [call, message] of calls) {
    await expect(call).rejects.toMatchObject({ code: "validation", message });
  }
});
