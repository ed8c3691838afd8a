// Each fault of the link, and the promise that it tries.
import { expect, onTestFinished, test, vi } from "vitest";
import { createTestBackend, type TestBackendOptions } from "../../src/testing/index.js";
import "../../src/testing/vitest.js";
import { next, until } from "../support.js";

/** A client waits for its clock: it goes on by itself, and the test moves it where it does not want to wait. */
function fakeTimers() {
  const toFake = [
    "setTimeout",
    "clearTimeout",
    "setInterval",
    "clearInterval",
    "Date",
    "performance",
  ] as const;
  vi.useFakeTimers({ toFake: [...toFake], shouldAdvanceTime: true });
  onTestFinished(() => void vi.useRealTimers());
}

async function started(options: TestBackendOptions = {}) {
  const backend = await createTestBackend(options);
  onTestFinished(() => backend.close());
  const id = backend.direct("ana", "ben");
  return { backend, id, ben: backend.user("ben") };
}

test("a message goes there and back", async () => {
  const { backend, id, ben } = await started();
  const chat = await backend.connect("ana");
  expect(chat).toBeConnected();
  const timeline = chat.timeline(id);
  const sent = await chat.send(id, { text: "hello", metadata: { mood: "good" } });
  await expect(chat).toBeAcknowledged(sent);
  expect(backend).toHaveReceivedOnce({ conversationId: id, senderId: "ana", text: "hello", key: sent.key });
  expect(backend).toHaveReceived({ text: expect.stringContaining("ell"), metadata: { mood: "good" } });

  ben.send(id, "hi, Ana ☀");
  const [stored] = backend.messages(id);
  ben.read(stored?.id ?? "");
  await backend.settled();
  expect(timeline).toShow(["hello", "hi, Ana ☀"]);
  expect(timeline.getSnapshot().messages[0]).toHaveStatus("read");
});

test("what others do: editing, removing, reacting, typing, presence", async () => {
  const { backend, id, ben } = await started();
  const chat = await backend.connect("ana");
  const timeline = chat.timeline(id);
  const [one, two] = [ben.send(id, "one"), ben.send(id, "two")];
  ben.edit(one.id, "won");
  ben.react(one.id, "👍");
  ben.remove(two.id);
  ben.typing(id);
  ben.online();
  await backend.settled();
  const [first, second] = timeline.getSnapshot().messages;
  expect(first).toMatchObject({ text: "won", reactions: [{ emoji: "👍", users: ["ben"] }] });
  expect(second?.deletedAt).not.toBeNull();
  expect(chat.typing(id)).toEqual(["ben"]);
  expect(chat.presence("ben")).toMatchObject({ online: true });
  ben.unreact(one.id, "👍");
  ben.typing(id, false);
  ben.offline();
  await backend.settled();
  expect(timeline.getSnapshot().messages[0]?.reactions).toEqual([]);
  expect(chat.typing(id)).toEqual([]);
  expect(chat.presence("ben")).toMatchObject({ online: false });
});

test("a history that is there before the client, and a group", async () => {
  const { backend, ben } = await started();
  const id = backend.group("Plans", ["ben", "ana"]);
  for (let at = 0; at < 60; at++) ben.send(id, `message ${at}`);
  const chat = await backend.connect("ana");
  const timeline = chat.timeline(id);
  await until(timeline, ({ messages, loading }) => !loading && messages.length > 0);
  expect(timeline.getSnapshot()).toMatchObject({ hasEarlier: true });
  await timeline.loadEarlier();
  expect(timeline).toShow(Array.from({ length: 60 }, (_, at) => `message ${at}`));
  expect(chat.conversation(id).getSnapshot()).toMatchObject({ title: "Plans", myRole: "member" });
});

test("an answer that is lost: asked again after the reconnect, and still there once", async () => {
  const { backend, id } = await started();
  const chat = await backend.connect("ana");
  const timeline = chat.timeline(id);
  // What is caught up would acknowledge it, and so would the echo.
  await backend.settled();
  backend.link.loseAnswers();
  backend.link.drop({ to: "client", event: "chat:message_received" });
  const sent = await chat.send(id, "once");
  await backend.settled();
  expect(backend).toHaveReceivedOnce({ text: "once" });
  expect(timeline.getSnapshot().messages[0]).toHaveStatus("sent");
  expect(backend.link.cut({ userId: "ana" })).toBe(1);
  await expect(chat).toBeAcknowledged(sent);
  await backend.settled();
  expect(backend).toHaveReceivedOnce({ text: "once" });
  expect(timeline).toShow(["once"]);
});

test("a message that is lost on its way there goes out again", async () => {
  const { backend, id } = await started();
  const chat = await backend.connect("ana", { outbox: { ackTimeoutMs: 100 } });
  backend.link.drop({ to: "server", event: "chat:message_send" });
  const sent = await chat.send(id, "again");
  await expect(chat).toBeAcknowledged(sent);
  expect(backend).toHaveReceivedOnce({ text: "again", key: sent.key });
});

test("what comes twice, either way, is one message and one row", async () => {
  const { backend, id, ben } = await started();
  const chat = await backend.connect("ana");
  const timeline = chat.timeline(id);
  let told = 0;
  chat.on("message", () => {
    told += 1;
  });
  backend.link.duplicate({ to: "server", event: "chat:message_send" });
  backend.link.duplicate({ to: "client", event: "chat:message_received", times: 2 });
  await chat.send(id, "mine");
  await backend.settled();
  ben.send(id, "theirs");
  await backend.settled();
  expect(backend.messages(id)).toHaveLength(2);
  expect(timeline).toShow(["mine", "theirs"]);
  expect(told).toBe(1);
});

test("half open: nobody is told, the client finds out, reconnects and sends", async () => {
  const { backend, id, ben } = await started({ pingInterval: 40, pingTimeout: 40 });
  const chat = await backend.connect("ana");
  const timeline = chat.timeline(id);
  const again = next(chat, "connected");
  expect(backend.link.halfOpen({ userId: "ana" })).toBe(1);
  const sent = await chat.send(id, "into the dark");
  ben.send(id, "missed");
  expect(chat).toBeConnected();
  await again;
  await expect(chat).toBeAcknowledged(sent);
  await backend.settled();
  expect(backend).toHaveReceivedOnce({ text: "into the dark" });
  expect(timeline).toShow(["missed", "into the dark"]);
});

test("half open with a clock that the test moves", async () => {
  fakeTimers();
  const { backend, id } = await started();
  const chat = await backend.connect("ana");
  backend.link.halfOpen();
  await chat.send(id, "late");
  await backend.settled();
  expect(backend).not.toHaveReceived({ text: "late" });
  await vi.advanceTimersByTimeAsync(60_000);
  await backend.settled();
  expect(chat).toBeConnected();
  expect(backend).toHaveReceivedOnce({ text: "late" });
});

test("latency is of the clock that the test moves", async () => {
  fakeTimers();
  const { backend, id } = await started();
  const chat = await backend.connect("ana");
  const timeline = chat.timeline(id);
  await backend.settled();
  backend.link.latency(5_000);
  await chat.send(id, "slow");
  await vi.advanceTimersByTimeAsync(4_000);
  expect(backend).not.toHaveReceived({ text: "slow" });
  await vi.advanceTimersByTimeAsync(2_000);
  expect(backend).toHaveReceivedOnce({ text: "slow" });
  expect(timeline.getSnapshot().messages[0]).toHaveStatus("sent");
  await vi.advanceTimersByTimeAsync(4_000);
  await backend.settled();
  expect(timeline.getSnapshot().messages[0]).toHaveStatus("acknowledged");
});

test("offline: queued; online: sent, once and in order", async () => {
  const { backend, id } = await started();
  const chat = await backend.connect("ana");
  backend.link.offline();
  await next(chat, "disconnected");
  for (const text of ["a", "b", "c"]) await chat.send(id, text);
  await backend.settled();
  expect(chat).not.toBeConnected();
  expect(backend.messages(id)).toEqual([]);
  expect((await chat.outbox()).map(({ text }) => text)).toEqual(["a", "b", "c"]);
  backend.link.online();
  await backend.settled();
  expect(chat).toBeConnected();
  expect(backend.messages(id).map(({ text }) => text)).toEqual(["a", "b", "c"]);
});

test("tokens expire: the application is asked for another, and the queue goes out", async () => {
  const { backend, id } = await started();
  const chat = await backend.connect("ana");
  const again = next(chat, "connected");
  expect(backend.tokenRequests).toHaveLength(1);
  backend.expireTokens();
  const sent = await chat.send(id, "with the next token");
  await again;
  await expect(chat).toBeAcknowledged(sent);
  expect(backend.tokenRequests.length).toBeGreaterThan(1);
});

test("a token that is refused at the connection is asked for again, because it was", async () => {
  const { backend } = await started();
  backend.refuse("connect", { code: "AuthError" });
  const chat = await backend.connect("ana");
  expect(chat).toBeConnected();
  expect(backend.tokenRequests.map(({ reason }) => reason)).toEqual(["connect", "refused"]);
});

test("d6: the application may judge what means the token", async () => {
  const { backend } = await started();
  backend.refuse("connect", { code: "ForbiddenError", message: "your session is over" });
  const asked: unknown[] = [];
  const isAuthError = (error: { code: string | null; message: string }) => asked.push(error) > 0;
  const chat = await backend.client("ana", { isAuthError });
  await chat.connect();
  expect(asked).toEqual([{ code: "ForbiddenError", message: "your session is over" }]);
  expect(backend.tokenRequests.map(({ reason }) => reason)).toEqual(["connect", "refused"]);
});

test("a server that is not there is tried again", async () => {
  const { backend } = await started();
  backend.link.refuseConnections(3);
  const chat = await backend.client("ana");
  const attempts: number[] = [];
  chat.on("reconnecting", ({ attempt }) => attempts.push(attempt));
  await chat.connect();
  expect(chat).toBeConnected();
  expect(attempts).toHaveLength(3);
});

test("a message that is refused is failed, and can be sent again", async () => {
  const { backend, id } = await started();
  const chat = await backend.connect("ana");
  const timeline = chat.timeline(id);
  backend.refuse("send", { code: "ForbiddenError", message: "not now" });
  const sent = await chat.send(id, "please");
  await expect(chat).not.toBeAcknowledged(sent);
  expect(timeline.getSnapshot().messages[0]).toHaveStatus("failed");
  await chat.resend(sent.key ?? "");
  await backend.settled();
  expect(timeline.getSnapshot().messages[0]).toHaveStatus("acknowledged");
  expect(backend).toHaveReceivedOnce({ text: "please" });
});

test("a limit of the rate is waited for, and a request that is refused is told", async () => {
  const { backend, id } = await started();
  const chat = await backend.connect("ana");
  backend.refuse("send", { code: "RateLimited", retryAfterMs: 20 });
  await expect(chat).toBeAcknowledged(await chat.send(id, "patience"));
  backend.refuse("POST /api/conversations/direct", { code: "ForbiddenError", message: "no" });
  await expect(chat.createDirect("cleo")).rejects.toMatchObject({ code: "forbidden" });
  expect((await chat.createDirect("cleo")).kind).toBe("direct");
});

test("a server without keys promises less", async () => {
  const { backend } = await started({ plain: true });
  const chat = await backend.connect("ana");
  expect(chat.guarantees.delivery).toBe("once-or-unconfirmed");
});
