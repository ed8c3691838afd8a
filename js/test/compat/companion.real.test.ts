// The companion's guide as its reader uses it, with its own profile, against the official Socket.IO server (C1 to C10).
import { startCompanionServer } from "@chatwire/test-servers/guides";
import { expect, onTestFinished, test } from "vitest";
import { CompanionSocketClient } from "../../src/compat/index.js";
import { wasm } from "../support.js";

async function started() {
  const server = await startCompanionServer();
  onTestFinished(() => server.close());
  const reconnect = { baseDelayMs: 20, maxDelayMs: 100 };
  const client = new CompanionSocketClient({ url: server.url, storage: "memory", reconnect, wasm });
  onTestFinished(() => client.close());
  return { server, client };
}

test("a conversation: login, send, answer, typing, reading (C1, C2, C3, C6, C7)", async () => {
  const { server, client } = await started();
  const told: unknown[] = [];
  for (const event of ["connected", "typing", "message_received"]) {
    client.on(event, (payload) => told.push([event, payload]));
  }
  await client.connect(7, "user:7");
  expect(server.auths).toEqual([{ token: "user:7", user_id: 7 }]);
  expect([client.isConnected(), client.getUserId(), client.getSocketId()]).toEqual([
    true,
    7,
    (await client.client()).connection.socketId,
  ]);
  client.setTyping("luna", true);
  await client.sendMessage("luna", "hi");
  await expect.poll(() => told.length).toBe(4);
  const timestamp = expect.any(String);
  const message = {
    girl_id: "luna",
    content: "you said: hi",
    sender: "girl",
    timestamp,
    type: "text",
    id: 42,
  };
  expect(told).toEqual([
    ["connected", { socketId: client.getSocketId() }],
    ["typing", { girl_id: "luna", is_typing: true }],
    // A message ends its author's typing, and is told behind that.
    ["typing", { girl_id: "luna", is_typing: false }],
    ["message_received", { message }],
  ]);
  expect(server.of("send_message")).toEqual([
    expect.objectContaining({ user_id: 7, girl_id: "luna", content: "hi" }),
  ]);
  expect(server.of("typing_indicator")[0]).toEqual({ user_id: 7, girl_id: "luna", is_typing: true });
  await client.markAsRead("luna", [42]);
  await expect
    .poll(() => server.of("mark_read").at(-1))
    .toEqual({
      user_id: 7,
      girl_id: "luna",
      message_ids: [42],
    });
});

test("a photo: asked for, generated, and as a message (C2, C3, D8)", async () => {
  const { server, client } = await started();
  await client.connect(7, "user:7");
  const photo = new Promise((resolve) => client.once("photo_generated", (payload) => resolve(payload)));
  await client.requestPhoto("luna", "at the sea");
  expect(await photo).toEqual({ girl_id: "luna", photo_url: "https://photos.example/1.jpg" });
  expect(server.of("request_photo")).toEqual([{ user_id: 7, girl_id: "luna", context: "at the sea" }]);
  const shown = new Promise((resolve) => client.once("message_received", (payload) => resolve(payload)));
  const photo_url = "https://photos.example/2.jpg";
  server.say(7, "luna", "look", { type: "photo", photo_url });
  expect(await shown).toMatchObject({ message: { id: 41, type: "photo", photo_url, content: "look" } });
});

test("any other event reaches the application, also after a lost connection (C4, C5)", async () => {
  const { server, client } = await started();
  const told: unknown[] = [];
  client.on("level_up", (payload) => told.push(payload));
  client.on("disconnected", () => told.push("disconnected"));
  client.on("connected", () => told.push("connected"));
  await client.connect(7, "user:7");
  server.tell(7, "level_up", { level: 2 });
  await expect.poll(() => told).toEqual(["connected", { level: 2 }]);
  server.drop();
  await expect.poll(() => told.slice(2)).toEqual(["disconnected", "connected"]);
  server.tell(7, "level_up", { level: 3 });
  await expect.poll(() => told.at(-1)).toEqual({ level: 3 });
});

test("a refused token rejects, and the next login connects (C1)", async () => {
  const { client } = await started();
  await expect(client.connect(7, "user:8")).rejects.toMatchObject({ code: "auth" });
  await client.connect(7, "user:7");
  expect(client.isConnected()).toBe(true);
  const left = new Promise<void>((resolve) => void client.once("disconnected", () => resolve()));
  client.disconnect();
  await left;
  expect([client.isConnected(), client.getSocketId()]).toEqual([false, null]);
});
