// The `phoenix` profile against a server without anything that WIRES.md marks **ours**: no user topics, no keys, no numbers,
// no REST. (With it: tests/e2e/phoenix.test.mjs.)
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type ChatOptions, createChat } from "../src/index.js";
import { plainServer } from "./phoenix-server.js";
import { next, until } from "./support.js";

const wasm = await readFile(join(import.meta.dirname, "../pkg/phoenix/chatwire_bg.wasm"));

async function chatOf(server: { url: string }, userId: string, options: Partial<ChatOptions> = {}) {
  const reconnect = { baseDelayMs: 20, maxDelayMs: 100 };
  const common = { profile: "phoenix", storage: "memory", reconnect, wasm } as const;
  const chat = await createChat({ url: server.url, userId, token: userId, ...common, ...options });
  onTestFinished(() => chat.close());
  await chat.connect();
  return chat;
}

test("a plain server: joined for a window or a send, once or unconfirmed, what is missed is not asked for", async () => {
  const server = await plainServer();
  const [ana, ben] = await Promise.all([chatOf(server, "ana"), chatOf(server, "ben")]);
  const view = ben.timeline("r1");
  const { key } = await ana.send("r1", "hello");
  expect(await ana.acknowledged(key as string)).toMatchObject({ id: "m1", status: "acknowledged" });
  await ben.send("r1", "hi");
  await until(ana.timeline("r1"), ({ messages }) => messages.length === 2);
  await ana.send("r1", "again");
  await until(view, ({ messages }) => messages.some(({ text }) => text === "again"));
  expect(ana.guarantees).toMatchObject({ delivery: "once-or-unconfirmed", gaps: "unseen" });
});

test("a plain server: an answer that is lost leaves the message unconfirmed, and it is not sent again", async () => {
  const server = await plainServer();
  const ana = await chatOf(server, "ana");
  server.faults.silent = 1;
  const failed = next(ana, "status", ({ status }) => status === "failed");
  const { key } = await ana.send("r1", "once");
  await expect(ana.acknowledged(key as string)).rejects.toMatchObject({ code: "unconfirmed" });
  await failed;
  const { key: second } = await ana.send("r1", "behind it");
  await ana.acknowledged(second as string);
  expect(server.stored.map(({ content }) => content)).toEqual(["once", "behind it"]);
});

test("a message that crashes its channel each time is poison, and the others go on (X4, D11)", async () => {
  const server = await plainServer();
  const ana = await chatOf(server, "ana", { capabilities: { keys: true } });
  const { key } = await ana.send("r1", "crashes");
  const { key: other } = await ana.send("r2", "another conversation");
  await expect(ana.acknowledged(key as string)).rejects.toMatchObject({ code: "poison" });
  await ana.acknowledged(other as string);
  const { key: behind } = await ana.send("r1", "behind it");
  await ana.acknowledged(behind as string);
  expect(server.stored.map(({ content }) => content)).toEqual(["another conversation", "behind it"]);
}, 20_000);

test("what another user's topic says of the backend holds for them (P6)", async () => {
  const server = await plainServer();
  const ana = await chatOf(server, "ana");
  await ana.wire.join("user:other");
  expect(ana.connection.state).toBe("online");
  expect(ana.guarantees.delivery).toBe("once-or-unconfirmed");
});

test("an event for a topic that is not joined waits for its join (X8)", async () => {
  const server = await plainServer();
  const ana = await chatOf(server, "ana");
  const content = { content: "by hand" };
  const answer = await ana.wire.send("message:send", content, { ack: true, topic: "conversation:r9" });
  expect(answer).toMatchObject({ message: { id: "m1", content: "by hand" } });
  await expect(ana.wire.send("x", {}, { ack: true, topic: "nowhere" })).rejects.toMatchObject({
    code: "notFound",
  });
});

test("a topic of the application's own: joined with its parameters, again on the next connection, and left (X12)", async () => {
  const server = await plainServer();
  const ana = await chatOf(server, "ana");
  const told: unknown[] = [];
  ana.wire.on("headline", (...values) => told.push(...values));
  await expect(ana.wire.join("news:1")).rejects.toMatchObject({ code: "forbidden" });
  await ana.wire.join("news:1", { content: "badge" });
  await ana.wire.join("news:1", { content: "badge" });
  const cut = async () => {
    const back = next(ana, "connected");
    server.faults.cut();
    await back;
  };
  await cut();
  await ana.wire.join("news:1", { content: "badge" });
  const answer = ana.wire.send("message:send", { content: "x" }, { ack: true, topic: "conversation:r1" });
  await expect(answer).resolves.toMatchObject({ message: { content: "x" } });
  expect(told).toEqual([{ n: 1 }, { topic: "news:1" }, { n: 2 }, { topic: "news:1" }]);
  await ana.wire.leave("news:1");
  await cut();
  await ana.wire.send("message:send", { content: "y" }, { ack: true, topic: "conversation:r1" });
  expect(server.faults.joins).toBe(2);
  for (const topic of ["conversation:r1", ""]) {
    await expect(ana.wire.join(topic)).rejects.toMatchObject({ code: "validation" });
  }
});

test("a wasm of another profile is refused in words", async () => {
  const options = { url: "http://127.0.0.1:1", userId: "ana", token: "t", storage: "memory" } as const;
  const refused = { code: "config", message: expect.stringContaining("pkg/chatwire_bg.wasm") };
  await expect(createChat({ ...options, profile: "team", wasm })).rejects.toMatchObject(refused);
});
