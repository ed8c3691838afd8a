// The profile `channels` against the official Socket.IO server, by the facts of WIRES.md, section H.
import { startChannelsServer } from "@chatwire/test-servers/channels";
import { expect, onTestFinished, test } from "vitest";
import type { ChatOptions } from "../src/index.js";
import { attemptsAt } from "./attempts.js";
import { chatOf, expectByTime, next, until } from "./support.js";

const general = "general";

async function served(options: Parameters<typeof startChannelsServer>[0] = {}) {
  const server = await startChannelsServer(options);
  onTestFinished(() => server.close());
  return server;
}

const clientOf = (server: { url: string }, userId: string, options: Partial<ChatOptions> = {}) =>
  chatOf(server, userId, { profile: "channels", ...options });

async function online(
  options: Parameters<typeof startChannelsServer>[0] = {},
  rest: Partial<ChatOptions> = {},
) {
  const server = await served(options);
  const ana = await clientOf(server, "ana", rest);
  await ana.connect();
  return { server, ana };
}

const contents = async (server: Awaited<ReturnType<typeof served>>) =>
  (await server.log(general)).map(({ content }) => content);
const idsHeard = async (server: Awaited<ReturnType<typeof served>>) =>
  ((await server.heard("message:send")) as { id: string }[]).map(({ id }) => id);

test("CONNECT says the raw token and whose it is (H2)", async () => {
  const { server } = await online();
  expect(await server.auths()).toEqual([{ token: "user:ana", userId: "ana" }]);
});

test("message:send carries the whole message, and its id is the key (H4)", async () => {
  for (const plain of [false, true]) {
    const { server, ana } = await online({ plain });
    const sent = await ana.send(general, "hello");
    const copy = await ana.acknowledged(sent.key ?? "");
    expect(copy).toMatchObject({ id: sent.key, rowKey: sent.rowKey, status: "acknowledged", text: "hello" });
    const [payload] = (await server.heard("message:send")) as { createdAt: string }[];
    const createdAt = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const whole = { id: sent.key, content: "hello", channelId: general, userId: "ana", createdAt };
    expect(payload).toEqual(whole);
    expect(await server.refused()).toEqual([]);
  }
});

test("two clients of one channel converge, and each is told of the other's messages once (H5)", async () => {
  const { server, ana } = await online();
  const ben = await clientOf(server, "ben");
  await ben.connect();
  const told: string[] = [];
  ben.on("message", ({ text }) => told.push(text));
  const timelines = [ana.timeline(general), ben.timeline(general)];
  const of = (name: string) => Array.from({ length: 10 }, (_, n) => `${name} ${n}`);
  const sent = [];
  for (const [n, text] of of("ana").entries()) {
    sent.push(ana.acknowledged((await ana.send(general, text)).key ?? ""));
    sent.push(ben.acknowledged((await ben.send(general, of("ben")[n] ?? "")).key ?? ""));
  }
  await Promise.all(sent);
  const log = (await server.log(general)).map(({ id }) => id);
  expect(log).toHaveLength(20);
  for (const timeline of timelines) {
    const { messages } = await until(timeline, ({ messages }) => messages.length === 20);
    expect(messages.map(({ id }) => id).sort()).toEqual([...log].sort());
    expectByTime(messages);
  }
  expect(told).toEqual(of("ana"));
});

test("receipts: delivered by itself, read when it is read (H5)", async () => {
  for (const plain of [false, true]) {
    const { server, ana } = await online({ plain });
    const ben = await clientOf(server, "ben");
    await ben.connect();
    const heard = next(ben, "message");
    const mine = ana.timeline(general);
    const { key } = await ana.send(general, "hello");
    const [message] = await heard;
    await until(mine, ({ messages }) => messages[0]?.status === "delivered");
    await ben.markRead(general, message.rowKey);
    await until(mine, ({ messages }) => messages[0]?.status === "read");
    expect(await server.log(general)).toMatchObject([{ id: key, delivered: ["ben"], read: ["ben"] }]);
    expect(await server.heard("message:read")).toEqual([{ messageId: key }]);
  }
});

test("a refusal that may pass is tried again, three times in all, then kept; resend keeps the id (H4, H6)", async () => {
  for (const plain of [false, true]) {
    const { server, ana } = await online({ plain });
    server.faults.refuseNext(3);
    const { key } = await ana.send(general, "stubborn");
    const failed = await ana.acknowledged(key ?? "").catch((error) => error);
    expect(failed).toMatchObject({ name: "ChatError", retryable: true });
    expect((await server.refused()).length).toBe(3);
    expect(await ana.outbox()).toMatchObject([{ key, status: "failed", text: "stubborn" }]);
    expect(await contents(server)).toEqual([]);
    await ana.resend(key ?? "");
    expect((await ana.acknowledged(key ?? "")).id).toBe(key);
    expect(await server.log(general)).toMatchObject([{ id: key, content: "stubborn" }]);
    expect(await ana.outbox()).toEqual([]);
  }
}, 20_000);

test("two refusals are not felt: the third try is stored under the same id (H4)", async () => {
  const { server, ana } = await online();
  server.faults.refuseNext(2);
  const { key } = await ana.send(general, "patient");
  expect((await ana.acknowledged(key ?? "")).id).toBe(key);
  expect((await server.refused()).length).toBe(2);
  expect(await server.log(general)).toMatchObject([{ id: key }]);
});

test("a refusal that will not pass is not tried again, and what comes behind goes on (H6)", async () => {
  const { server, ana } = await online();
  server.faults.refuseNext(1, "ForbiddenError");
  const [one, two] = [await ana.send(general, "one"), await ana.send(general, "two")];
  await expect(ana.acknowledged(one.key ?? "")).rejects.toMatchObject({ code: "forbidden" });
  await ana.acknowledged(two.key ?? "");
  expect((await server.refused()).length).toBe(1);
  expect(await contents(server)).toEqual(["two"]);
});

test("an answer that is lost with its connection: the same id goes again and is stored once (H4)", async () => {
  for (const plain of [false, true]) {
    const { server, ana } = await online({ plain });
    server.faults.dropAfterStore(1);
    const { key } = await ana.send(general, "once");
    const next = await ana.send(general, "next");
    await ana.acknowledged(key ?? "");
    await ana.acknowledged(next.key ?? "");
    expect((await idsHeard(server)).filter((id) => id === key)).toEqual([key, key]);
    expect(await contents(server)).toEqual(["once", "next"]);
    const { messages } = await until(ana.timeline(general), ({ messages }) => messages.length > 0);
    expect(messages.map(({ text, status }) => [text, status])).toEqual([
      ["once", "acknowledged"],
      ["next", "acknowledged"],
    ]);
  }
});

test("an answer that does not come on a connection that lives: the same id goes again (H4)", async () => {
  const { server, ana } = await online({}, { outbox: { ackTimeoutMs: 1_000 } });
  server.faults.loseAck(1);
  const { key } = await ana.send(general, "unanswered");
  expect((await ana.acknowledged(key ?? "")).id).toBe(key);
  expect(await idsHeard(server)).toEqual([key, key]);
  expect(await contents(server)).toEqual(["unanswered"]);
});

test("an expired token is asked for anew once, the connection goes on, and what is pending goes (H7)", async () => {
  const server = await served();
  const asked: string[] = [];
  const getToken = ({ reason }: { reason: string }) => {
    asked.push(reason);
    return reason === "refused" ? `user:ana#${asked.length}` : "user:ana";
  };
  const ana = await clientOf(server, "ana", { getToken });
  const failed: unknown[] = [];
  ana.on("authError", (error) => failed.push(error));
  await ana.connect();
  server.faults.revoke("user:ana");
  const gone = next(ana, "disconnected");
  server.faults.dropSockets("ana");
  await gone;
  const { key } = await ana.send(general, "pending");
  await ana.acknowledged(key ?? "");
  expect(asked).toEqual(["connect", "connect", "refused"]);
  expect(failed).toEqual([]);
  expect(await contents(server)).toEqual(["pending"]);
});

test("a token that stays refused is an authError, by each of the names of it (H6, H7)", async () => {
  for (const code of ["auth_failed", "AuthError"]) {
    const server = await served();
    const ana = await clientOf(server, "ana");
    server.faults.refuseConnect(2, code, "no");
    const told = next(ana, "authError");
    await expect(ana.connect()).rejects.toMatchObject({ code: "auth" });
    expect((await told)[0].code).toBe("auth");
    expect(await server.auths()).toHaveLength(2);
  }
});

test("connection_error is no refusal of the token: it is tried again within the budget (H3, H6)", async () => {
  const server = await served();
  const reasons: string[] = [];
  const getToken = ({ reason }: { reason: string }) => {
    reasons.push(reason);
    return "user:ana";
  };
  const ana = await clientOf(server, "ana", { getToken });
  server.faults.refuseConnect(3, "connection_error", "overloaded");
  await ana.connect();
  expect(reasons).toEqual(["connect", "connect", "connect", "connect"]);
});

test("down: five attempts, then it stops and says so; connect() has a new budget (H3)", async () => {
  const place = await attemptsAt();
  const ana = await clientOf(place, "ana");
  for (const attempts of [5, 10]) {
    const told = next(ana, "error");
    await expect(ana.connect()).rejects.toMatchObject({ name: "ChatError" });
    expect(ana.connection.state).toBe("failed");
    expect((await told)[0].message).toMatch(/attempts/);
    expect(place.count()).toBe(attempts);
  }
});

test("attempts are one second apart, give or take a half (H3)", async () => {
  const place = await attemptsAt();
  const ana = await clientOf(place, "ana", { reconnect: {} });
  const delays: number[] = [];
  ana.on("reconnecting", ({ retryInMs }) => delays.push(retryInMs ?? 0));
  ana.connect().catch(() => {});
  await expect.poll(() => delays.length, { timeout: 6_000 }).toBe(3);
  for (const delay of delays) {
    expect(delay).toBeGreaterThanOrEqual(500);
    expect(delay).toBeLessThanOrEqual(1_500);
  }
});

test("what is sent offline goes when the connection is back, once and in order (H7)", async () => {
  for (const plain of [false, true]) {
    const { server, ana } = await online({ plain });
    const gone = next(ana, "disconnected");
    ana.disconnect();
    await gone;
    const texts = Array.from({ length: 12 }, (_, n) => `message ${n}`);
    const sent = [];
    for (const text of texts) sent.push(await ana.send(general, text));
    await ana.connect();
    await Promise.all(sent.map(({ key }) => ana.acknowledged(key ?? "")));
    expect(await contents(server)).toEqual(texts);
    expect(await ana.outbox()).toEqual([]);
  }
});

test("a server that is restarted under load: nothing lost, nothing twice, in order (H3, H4)", async () => {
  for (const plain of [false, true]) {
    const { server, ana } = await online({ plain });
    const texts = Array.from({ length: 40 }, (_, n) => `message ${n}`);
    const sent = [];
    for (const [n, text] of texts.entries()) {
      sent.push(await ana.send(general, text));
      if (n % 15 === 7) await server.restart();
    }
    await Promise.all(sent.map(({ key }) => ana.acknowledged(key ?? "")));
    expect(await contents(server)).toEqual(texts);
  }
});
