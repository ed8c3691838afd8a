// The channels guide as its reader uses it, with its own profile, against the official Socket.IO server (H1 to H7).
import { startChannelsServer } from "@chatwire/test-servers/guides";
import { expect, onTestFinished, test } from "vitest";
import { ChatSocketClient, MessageRecoveryManager, type SocketConfig } from "../../src/compat/index.js";
import { wasm } from "../support.js";

async function served() {
  const server = await startChannelsServer();
  onTestFinished(() => server.close());
  const socketOf = async (userId: string, config: Partial<SocketConfig> = {}) => {
    const options = { url: server.url, userId, token: `jwt-${userId}`, storage: "memory", wasm } as const;
    const reconnect = { baseDelayMs: 20, maxDelayMs: 100 };
    const socket = new ChatSocketClient({ ...options, reconnect, ...config });
    onTestFinished(() => socket.close());
    await socket.connect();
    return socket;
  };
  return { server, socketOf };
}

test("a message with an id of its own: acknowledged, new to others, delivered, read (H2, H4, H5)", async () => {
  const { server, socketOf } = await served();
  const [ana, ben] = [await socketOf("ana"), await socketOf("ben")];
  expect(server.auths[0]).toEqual({ token: "jwt-ana", userId: "ana" });
  const told: unknown[] = [];
  ben.on("message:new", (message) => told.push(message));
  for (const event of ["message:delivered", "message:read"]) {
    ana.on(event, (payload) => told.push([event, payload]));
  }
  const id = "5f0c8a44-7f0e-4a55-9d50-1f4a8b7f6e21";
  const ack = await ana.sendMessage({ id, content: "hello", channelId: "general" });
  const message = {
    id,
    content: "hello",
    channelId: "general",
    userId: "ana",
    createdAt: expect.any(String),
  };
  expect(ack).toEqual({ success: true, data: message });
  expect(server.of("message:send")).toEqual([message]);
  await expect.poll(() => told.length).toBe(2);
  expect(told).toEqual(expect.arrayContaining([message, ["message:delivered", { messageId: id }]]));

  const client = await ben.client();
  const timeline = client.timeline("general");
  await expect.poll(() => timeline.getSnapshot().messages.length).toBe(1);
  await client.markRead("general", timeline.getSnapshot().messages[0]?.rowKey ?? "");
  await expect.poll(() => told.at(-1)).toEqual(["message:read", { messageId: id }]);
});

test("what is refused three times is message_failed, kept, and recovered (H6, H7)", async () => {
  const { server, socketOf } = await served();
  const ana = await socketOf("ana");
  const recovery = new MessageRecoveryManager(ana);
  const errors: unknown[] = [];
  ana.on("error", ({ type, messageId }) => errors.push([type, messageId]));
  server.refuseNext(3);
  const ack = await ana.sendMessage({ id: "m1", content: "hello", channelId: "general" });
  expect(ack).toMatchObject({ success: false });
  expect(errors).toEqual([["message_failed", "m1"]]);
  expect((await recovery.getFailedMessages()).map(({ id }) => id)).toEqual(["m1"]);
  const sent = (await ana.client()).acknowledged("m1").catch(() => null);
  await recovery.recoverMessages();
  await expect.poll(async () => (await recovery.getPendingMessages()).length).toBe(0);
  await sent;
  expect(server.of("message:send")).toHaveLength(4);
}, 20_000);

test("an expired token is refreshed, the connection goes on, and what is pending is sent (H7)", async () => {
  const { server, socketOf } = await served();
  const told: string[] = [];
  const ana = await socketOf("ana", {
    onAuthError: async ({ type }) => {
      told.push(type);
      return "jwt-ana-2";
    },
    onConnectionError: ({ type }) => told.push(type),
    onReconnect: () => told.push("reconnected"),
  });
  server.revoke("jwt-ana");
  const lost = new Promise<void>((resolve) => void ana.once("disconnect", () => resolve()));
  server.drop();
  await lost;
  const ack = await ana.sendMessage({ id: "m1", content: "meanwhile", channelId: "general" });
  expect(ack).toMatchObject({ success: true, data: { id: "m1" } });
  // A token is asked for at once, and what is told comes with its batch: where the next attempt is as near as here, in either order.
  expect(told.slice(0, 2).sort()).toEqual(["auth_failed", "connection_error"]);
  expect(told.slice(2)).toEqual(["reconnected"]);
  expect(server.auths.map(({ token }) => token)).toEqual(["jwt-ana", "jwt-ana", "jwt-ana-2"]);
});
