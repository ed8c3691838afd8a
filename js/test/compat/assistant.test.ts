// The assistant's guide as its reader uses it (A5 to A14), with the backend played by the test.
import { expect, test, vi } from "vitest";
import { ChatService, MessageQueue, NetworkManager } from "../../src/compat/index.js";
import { FakeChat } from "../fake.js";

function started() {
  const fake = new FakeChat("assistant", "u1");
  return { fake, service: new ChatService({ client: fake.client }) };
}

test("ChatService: the five events of A7, with the record of A5", async () => {
  const { fake, service } = started();
  const told: unknown[] = [];
  service.on("message", (message) => told.push(["message", message]));
  service.on("connected", () => told.push(["connected"]));
  service.on("disconnected", (reason) => told.push(["disconnected", reason]));
  service.on("error", ({ code }) => told.push(["error", code]));
  service.on("typing", (isTyping) => told.push(["typing", isTyping, service.isTyping]));

  await service.connect();
  expect(service.isConnected).toBe(true);
  const sent = await service.sendMessage("what is new?", { page: 1 });
  expect(sent).toMatchObject({
    content: "what is new?",
    sender: "user",
    type: "text",
    metadata: { page: 1 },
  });
  fake.setTypist("assistant", "assistant", true);
  const metadata = { confidence: 0.9, sources: [{ title: "x" }] };
  fake.setTypist("assistant", "assistant", false);
  fake.receive({
    id: "42",
    conversationId: "assistant",
    sender: "ai",
    text: "much",
    type: "action",
    metadata,
  });
  const failure = { code: "server", message: "the backend said no", retryable: true } as const;
  fake.move(fake.queue[0]?.key ?? "", { status: "failed", failure });
  service.disconnect();
  const record = {
    id: "42",
    content: "much",
    sender: "ai",
    timestamp: expect.any(String),
    type: "action",
    metadata,
  };
  expect(told).toEqual([
    ["connected"],
    ["typing", true, true],
    ["typing", false, false],
    ["message", record],
    ["error", "server"],
    ["disconnected", "disconnect"],
  ]);
  expect(fake.of("send")).toEqual([["assistant", { text: "what is new?", metadata: { page: 1 } }, {}]]);
  expect(service.isConnected).toBe(false);
});

test("ChatService: oauthRequired asks for a click, with the address and the message (A11)", () => {
  const { fake, service } = started();
  const told: unknown[] = [];
  service.on("oauthRequired", (request) => told.push(request));
  const message = { id: "7", conversationId: "assistant", sender: "ai", text: "May I?" } as const;
  const metadata = { authUrl: "https://provider.example/consent" };
  fake.receive({ ...message, type: "oauth_required", metadata });
  fake.receive({ ...message, type: "oauth_required", metadata: { authUrl: "javascript:alert(1)" } });
  expect(told).toEqual([
    {
      authUrl: "https://provider.example/consent",
      message: expect.objectContaining({ id: "7", content: "May I?", type: "oauth_required" }),
    },
  ]);
});

test("ChatService tells its context (A6), and nothing of other conversations' typing", () => {
  const { fake, service } = started();
  const typing = vi.fn();
  service.on("typing", typing);
  fake.setTypist("elsewhere", "ben", true);
  expect(typing).not.toHaveBeenCalled();
  expect(service.context).toBeNull();
  fake.tellWire("context", { capabilities: ["search"] });
  expect(service.context).toEqual({ capabilities: ["search"] });
});

test("a misspelt event, and a service that cannot connect, say what is wrong", async () => {
  const { service } = started();
  expect(() => service.on("mesage" as never, () => {})).toThrow(
    'there is no event "mesage": there are message,',
  );
  const alone = new ChatService({ url: "https://assistant.example.com" });
  await expect(alone.connect()).rejects.toMatchObject({
    code: "config",
    message: expect.stringContaining("ChatService was given no userId"),
  });
  await expect(service.connect("somebody else")).rejects.toMatchObject({ code: "config" });
});

test("MessageQueue: entries of A12; what was given up after its retries is kept, and goes again when asked", async () => {
  const { fake, service } = started();
  const queue = new MessageQueue(service);
  const first = await queue.enqueue("one", { n: 1 });
  expect(first).toEqual({
    id: "k1",
    content: "one",
    metadata: { n: 1 },
    timestamp: Date.parse("2026-01-01T00:00:00.000Z"),
    retryCount: 0,
  });
  await queue.enqueue("two");
  await fake.send("another conversation", "not the assistant's");
  expect((await queue.getQueue()).map(({ content }) => content)).toEqual(["one", "two"]);

  const failure = { code: "server", message: "no", retryable: true } as const;
  fake.move("k1", { status: "failed", failure });
  expect(await queue.getQueue()).toMatchObject([
    { id: "k1", retryCount: MessageQueue.maxRetries },
    { id: "k2" },
  ]);
  expect(MessageQueue.maxRetries).toBe(3);
  await queue.processQueue();
  expect(fake.of("resend")).toEqual([["k1"]]);
  expect(await queue.getQueue()).toMatchObject([{ id: "k1", retryCount: 0 }, { id: "k2" }]);
  fake.move("k2", { status: "acknowledged" });
  expect(await queue.size()).toBe(1);
  fake.move("k1", { status: "failed", failure });
  await queue.dequeue("k1");
  expect([fake.of("discard"), await queue.size()]).toEqual([[["k1"]], 0]);
  await queue.enqueue("three");
  await queue.clear();
  expect(fake.of("cancel")).toEqual([["k4"]]);
  await expect(queue.dequeue("")).rejects.toMatchObject({ code: "validation" });
});

test("NetworkManager says true where nothing can be known", () => {
  const network = new NetworkManager();
  expect(network.connected).toBe(true);
  network.destroy();
});
