// The assistant's guide as its reader uses it, with its own profile, against a plain WebSocket server (A1 to A9, A12).
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { startAssistantServer } from "@chatwire/test-servers/guides";
import { expect, onTestFinished, test } from "vitest";
import { type ChatMessage, ChatService, MessageQueue } from "../../src/compat/index.js";

const wasm = await readFile(join(import.meta.dirname, "../../pkg/json/chatwire_bg.wasm"));

async function started(userId = "u1") {
  const server = await startAssistantServer();
  onTestFinished(() => server.close());
  const reconnect = { baseDelayMs: 20, maxDelayMs: 100 };
  const options = { url: server.url, token: `user:${userId}`, timezone: "Europe/Paris" };
  const service = new ChatService({ ...options, userId, storage: "memory", reconnect, wasm });
  onTestFinished(() => service.close());
  const told: unknown[] = [];
  service.on("connected", () => told.push("connected"));
  service.on("disconnected", () => told.push("disconnected"));
  service.on("typing", (isTyping) => told.push(isTyping));
  service.on("message", ({ content }) => told.push(content));
  service.on("error", ({ message }) => told.push(`error: ${message}`));
  return { server, service, told };
}

function heard(service: ChatService): Promise<ChatMessage> {
  return new Promise((resolve) => void service.once("message", resolve));
}

test("connect, send, typing, answer, context (A1 to A8)", async () => {
  const { server, service, told } = await started();
  await service.connect();
  expect(server.addresses).toEqual([expect.stringMatching(/\?userId=u1$/)]);
  expect(JSON.stringify(server.addresses)).not.toContain("user:");
  const answer = heard(service);
  await service.sendMessage("what is new?", { page: 1 });
  expect(await answer).toEqual({
    id: "a1",
    content: "you said: what is new?",
    sender: "ai",
    timestamp: expect.any(String),
    type: "text",
  });
  await expect.poll(() => service.isTyping).toBe(false);
  expect(told).toEqual(["connected", true, false, "you said: what is new?"]);
  const [command] = server.of("command");
  expect(command).toMatchObject({
    payload: { commandType: "text_command", message: "what is new?", userId: "u1", metadata: { page: 1 } },
    timestamp: expect.any(Number),
  });
  expect(command?.payload).toMatchObject({ userTimezone: "Europe/Paris" });
  expect(service.context).toMatchObject({ userId: "u1", capabilities: ["search"] });
});

test("typing begins when the user sends, and ends with the assistant's failure (A8)", async () => {
  const { server, service, told } = await started();
  await service.connect();
  server.state.silent = true;
  await service.sendMessage("hello");
  await expect.poll(() => server.of("command").length).toBe(1);
  expect([service.isTyping, told]).toEqual([true, ["connected", true]]);
  server.state.silent = false;
  await service.sendMessage("fail");
  await expect.poll(() => service.isTyping).toBe(false);
  expect(told).toEqual(["connected", true, expect.stringContaining("the assistant is tired"), false]);
});

test("consent: a message of type oauth_required reaches the event with its address (A5, A11)", async () => {
  const { server, service } = await started();
  const client = await service.client();
  await service.connect();
  const asked = new Promise(
    (resolve) => void client.once("oauthRequired", ({ authUrl }) => resolve(authUrl)),
  );
  server.say("allow this?", { type: "oauth_required", metadata: { authUrl: "https://provider.example/a" } });
  expect(await asked).toBe("https://provider.example/a");
});

test("what is queued while offline goes out in order, and the queue is empty (A12)", async () => {
  const { server, service } = await started();
  const queue = new MessageQueue(service);
  await queue.enqueue("one");
  await queue.enqueue("two");
  expect((await queue.getQueue()).map(({ content, retryCount }) => [content, retryCount])).toEqual([
    ["one", 0],
    ["two", 0],
  ]);
  await service.connect();
  await expect.poll(() => server.of("command").length).toBe(2);
  const sent = server.of("command").map(({ payload }) => (payload as { message: string }).message);
  expect(sent).toEqual(["one", "two"]);
  await expect.poll(() => queue.size()).toBe(0);
});

test("a lost connection comes back; disconnect() closes with 1000 and a reason (A7, A9)", async () => {
  const { server, service, told } = await started();
  await service.connect();
  server.drop();
  await expect.poll(() => told).toEqual(["connected", "disconnected", "connected"]);
  service.disconnect();
  await expect
    .poll(() => server.of("closed").at(-1))
    .toMatchObject({ code: 1000, reason: expect.stringMatching(/./) });
});
