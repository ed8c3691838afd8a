// What a test backend is to the rest of a test: several at once, other addresses, a store, what matchers say.
import { stripVTControlCharacters } from "node:util";
import { IDBFactory } from "fake-indexeddb";
import { expect, onTestFinished, test } from "vitest";
import { createChat } from "../../src/index.js";
import { createTestBackend, type TestBackendOptions } from "../../src/testing/index.js";
import "../../src/testing/vitest.js";
import { chatOf, serve } from "../support.js";
import { goesOutOnceAfterARestart } from "./kept.js";

async function started(options: TestBackendOptions = {}) {
  const backend = await createTestBackend(options);
  onTestFinished(() => backend.close());
  return backend;
}

test("an application's own createChat, at its own address", async () => {
  const backend = await started({ url: "https://chat.example.com/team" });
  const id = backend.direct("ana", "ben");
  const answer = await fetch("https://chat.example.com/team/auth/login", {
    method: "POST",
    body: JSON.stringify({ name: "ana" }),
  });
  const { token, user } = await answer.json();
  const chat = await createChat({
    url: backend.url,
    profile: "team",
    userId: user.id,
    token,
    storage: "memory",
  });
  onTestFinished(() => chat.close());
  await chat.connect();
  await chat.acknowledged((await chat.send(id, "from the application")).key);
  expect(backend).toHaveReceivedOnce({ senderId: "ana", text: "from the application" });
});

test("several at once, each with its own, and others beside them", async () => {
  const [one, two] = [await started(), await started()];
  const real = await serve();
  const ids = [one.direct("ana", "ben"), two.direct("ana", "ben")] as const;
  const [atOne, atTwo, elsewhere] = [
    await one.connect("ana"),
    await two.connect("ana"),
    await chatOf(real, "ana"),
  ];
  await elsewhere.connect();
  const { id } = await elsewhere.createDirect("ben");
  one.link.offline();
  const [sent, passed] = [await atTwo.send(ids[1], "two"), await elsewhere.send(id, "real")];
  await atOne.send(ids[0], "one");
  await expect(atTwo).toBeAcknowledged(sent);
  await expect(elsewhere).toBeAcknowledged(passed);
  expect(one.messages()).toEqual([]);
  expect(two).toHaveReceivedOnce({ text: "two" });
  expect(real.log(id)).toHaveLength(1);
});

test("closed, it leaves nothing behind", async () => {
  const before = [globalThis.WebSocket, globalThis.fetch];
  const [one, two] = [await createTestBackend(), await createTestBackend()];
  expect([globalThis.WebSocket, globalThis.fetch]).not.toEqual(before);
  await one.close();
  const chat = await two.connect("ana");
  await two.close();
  expect([globalThis.WebSocket, globalThis.fetch]).toEqual(before);
  expect(chat.connection.state).toBe("closed");
});

test("with a database in it, what was queued is there after a restart, and goes out once", async () => {
  Object.assign(globalThis, {
    indexedDB: new IDBFactory(),
    IDBKeyRange: (await import("fake-indexeddb")).IDBKeyRange,
  });
  onTestFinished(() => {
    for (const name of ["indexedDB", "IDBKeyRange"]) Reflect.deleteProperty(globalThis, name);
  });
  await goesOutOnceAfterARestart(await started());
});

test("two clients of two users talk to each other", async () => {
  const backend = await started();
  const [ana, ben] = [await backend.connect("ana"), await backend.connect("ben")];
  const id = backend.direct("ana", "ben");
  await backend.settled();
  const [mine, theirs] = [ana.timeline(id), ben.timeline(id)];
  await ana.send(id, "hello");
  await backend.settled();
  await ben.send(id, "hi");
  await backend.settled();
  expect(mine).toShow(["hello", "hi"]);
  expect(theirs.getSnapshot()).toShow(["hello", "hi"]);
  expect(mine.getSnapshot().messages).toShow(["hello", expect.any(String)]);
});

test("what fails says what was there instead", async () => {
  const backend = await started();
  const id = backend.direct("ana", "ben");
  const chat = await backend.connect("ana");
  const timeline = chat.timeline(id);
  const said = (assert: () => void) => {
    try {
      assert();
    } catch (error) {
      return stripVTControlCharacters((error as Error).message);
    }
    throw new Error("it did not fail");
  };
  expect(said(() => expect(backend).toHaveReceived({ text: "x" }))).toMatch(
    /a message with .*it has none at all$/s,
  );
  backend.user("ben").send(id, "hi");
  backend.user("ben").send(id, "hi");
  await backend.settled();
  expect(said(() => expect(backend).toHaveReceivedOnce({ text: "hi" }))).toMatch(
    /exactly one message, and not 2, .*\n {2}ben in conversation-1: hi/s,
  );
  expect(said(() => expect(backend).not.toHaveReceived({ text: "hi" }))).toMatch(/not to have a message/);
  expect(said(() => expect(timeline).toShow(["hi"]))).toMatch(/it shows .*\n {2}ben: hi \(\w+\)/s);
  expect(said(() => expect(chat).not.toBeConnected())).toMatch(/of ana not to be online; it is "online"/);
  backend.refuse("send", { code: "ForbiddenError", message: "not now" });
  const sent = await chat.send(id, "please");
  await expect(expect(chat).toBeAcknowledged(sent)).rejects.toThrow(
    /to be acknowledged; it failed: .*not now/,
  );
  const [failed] = await chat.outbox();
  expect(said(() => expect(failed).toHaveStatus("sent"))).toMatch(/it has "failed" \(forbidden: .*not now\)/);
});

test("what is not acknowledged says what it waits for", async () => {
  const backend = await started();
  const id = backend.direct("ana", "ben");
  const chat = await backend.connect("ana");
  const waited = async (key: string | null, timeoutMs = 50) => {
    const failed = await expect(chat)
      .toBeAcknowledged({ key }, { timeoutMs })
      .catch((error: Error) => error);
    return stripVTControlCharacters((failed as Error).message);
  };
  backend.link.offline();
  await backend.settled();
  const [first, second] = [await chat.send(id, "one"), await chat.send(id, "two")];
  expect(await waited(first.key)).toMatch(
    /to be acknowledged; after 50 ms "one" is saved; the client of ana is (waiting|offline)\b.* \(.+\)$/,
  );
  expect(await waited(second.key)).toContain('"two" is saved, with 1 before it in the outbox');
  await expect(chat).not.toBeAcknowledged(first, { timeoutMs: 20 });

  backend.link.online();
  await expect(chat).toBeAcknowledged(second);
  backend.link.loseAnswers();
  backend.link.drop({ to: "client", event: "chat:message_received" });
  const third = await chat.send(id, "three");
  expect(await waited(third.key)).toMatch(/after 50 ms "three" is sent; the client of ana is online$/);
  await expect(expect(chat).toBeAcknowledged(third, { timeout: 1 } as never)).rejects.toThrow("no `timeout`");
});

test("by itself before the five seconds of a test are over", { timeout: 15_000 }, async () => {
  const backend = await started();
  const chat = await backend.client("ana");
  const sent = await chat.send(backend.direct("ana", "ben"), "nobody has connected");
  await expect(expect(chat).toBeAcknowledged(sent)).rejects.toThrow(
    /after 4000 ms "nobody has connected" is saved; the client of ana is idle$/,
  );
});

test("what does not settle says what still moves", async () => {
  const backend = await started();
  const id = backend.direct("ana", "ben");
  const chat = await backend.connect("ana");
  await backend.settled();
  backend.link.latency(60_000);
  await chat.send(id, "slow");
  await expect(backend.settled({ timeoutMs: 50 })).rejects.toThrow(/within 50 ms: 1 frames or requests/);
});

test("what is misspelt is refused by name, and by what there is", async () => {
  const misspelt = (given: object) => given as never;
  await expect(createTestBackend(misspelt({ pingIntervall: 1 }))).rejects.toThrow(
    "createTestBackend(): there is no `pingIntervall`; it takes url, pingInterval",
  );
  const backend = await started();
  const refusal = { code: "ServerError" as const };
  expect(() => backend.refuse("sned" as never, refusal)).toThrow("`sned` is none of `send`, `connect`");
  expect(() => backend.refuse("send", misspelt({ ...refusal, time: 2 }))).toThrow("no `time`");
  expect(() => backend.link.drop(misspelt({ tu: "server" }))).toThrow("link.drop(): there is no `tu`");
  expect(() => backend.link.duplicate(misspelt({ evnt: "x" }))).toThrow("no `evnt`");
  expect(() => backend.link.cut(misspelt({ user: "ana" }))).toThrow("no `user`");
  expect(() => backend.link.halfOpen(misspelt({ user: "ana" }))).toThrow("no `user`");
  expect(() => expect(backend).not.toHaveReceived(misspelt({ txt: "hi" }))).toThrow("no `txt`");
  backend.refuse("GET /api/conversations", { ...refusal, times: 1 });
});
