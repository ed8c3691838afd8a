// The companion's guide as its reader uses it (C1 to C10): its wire played by the test, its life cycle against a real server.
import { expect, onTestFinished, test } from "vitest";
import { CompanionSocketClient, getSocketClient } from "../../src/compat/index.js";
import { FakeChat } from "../fake.js";
import { optionsFor, serve } from "../support.js";

test("getSocketClient: login, calls, logout (C1, C2, C10)", async () => {
  const fake = new FakeChat("companion", "7");
  const client = getSocketClient({ client: fake.client });
  expect(getSocketClient()).toBe(client);
  expect([client.isConnected(), client.getSocketId()]).toEqual([false, null]);
  await client.connect(7, "token");
  expect([client.isConnected(), client.getSocketId(), client.getUserId()]).toEqual([true, "socket-1", 7]);
  await client.sendMessage("luna", "hello");
  client.setTyping("luna", true);
  for (const id of ["3", "5", "6"]) fake.receive({ id, conversationId: "luna" });
  await client.markAsRead("luna", [5, 3]);
  await client.requestPhoto("luna", "at the sea");
  client.disconnect();
  expect(client.isConnected()).toBe(false);
  expect(fake.calls.filter(({ name }) => !/connect|timeline/.test(name))).toEqual([
    { name: "send", args: ["luna", "hello", {}] },
    { name: "setTyping", args: ["luna", true] },
    { name: "markRead", args: ["luna", "luna:5"] },
    { name: "wire.send", args: ["request_photo", { user_id: 7, girl_id: "luna", context: "at the sea" }] },
  ]);
});

test("what it hears: C3 in its shape, C5, and every other event as it is (C4)", async () => {
  const fake = new FakeChat("companion", "7");
  const client = new CompanionSocketClient({ client: fake.client });
  const told: unknown[] = [];
  const events = ["connected", "disconnected", "message_received", "typing", "message_read"];
  for (const event of [...events, "photo_generated", "mood_changed"]) {
    client.on(event, (...values) => told.push([event, values[0]]));
  }
  await client.connect();
  fake.receive({ id: "12", conversationId: "luna", text: "hi", type: "text" });
  const attachments = [{ url: "https://photos.example/1.jpg" }];
  fake.receive({ id: "13", conversationId: "luna", type: "image", attachments });
  fake.setTypist("luna", "luna", true);
  fake.emitter.emit("status", { conversationId: "luna", rowKey: "luna:9", status: "read", failure: null });
  await Promise.resolve();
  await Promise.resolve();
  fake.tellWire("photo_generated", { girl_id: "luna", photo_url: "https://photos.example/2.jpg" });
  fake.tellWire("mood_changed", { mood: "sunny" });
  client.disconnect();
  const record = { girl_id: "luna", sender: "girl", timestamp: expect.any(String) };
  const photo_url = "https://photos.example/1.jpg";
  expect(told).toEqual([
    ["connected", { socketId: "socket-1" }],
    ["message_received", { message: { ...record, id: 12, content: "hi", type: "text" } }],
    ["message_received", { message: { ...record, id: 13, content: "", type: "photo", photo_url } }],
    ["typing", { girl_id: "luna", is_typing: true }],
    ["message_read", { message_id: 9, girl_id: "luna" }],
    ["photo_generated", { girl_id: "luna", photo_url: "https://photos.example/2.jpg" }],
    ["mood_changed", { mood: "sunny" }],
    ["disconnected", { reason: "disconnect" }],
  ]);
});

test("a photo whose address is no http or https one is not told", async () => {
  const fake = new FakeChat("companion", "7");
  const client = new CompanionSocketClient({ client: fake.client });
  const told: unknown[] = [];
  client.on("photo_generated", (photo) => told.push(photo));
  client.on("message_received", ({ message }) => told.push(message.photo_url));
  client.on("error", ({ code }) => told.push(code));
  for (const photo of [{ girl_id: "luna", photo_url: "javascript:alert(1)" }, {}, null, "x"]) {
    fake.tellWire("photo_generated", photo);
  }
  fake.receive({ id: "1", conversationId: "luna", metadata: { photo_url: "javascript:alert(1)" } });
  fake.receive({ id: "2", conversationId: "luna", metadata: { photo_url: "https://photos.example/1" } });
  const refused = ["protocol", "protocol", "protocol", "protocol"];
  expect(told).toEqual([...refused, undefined, "https://photos.example/1"]);
});

test("a message that fails is an error: sendMessage has resolved long before", async () => {
  const fake = new FakeChat("companion", "7");
  const client = new CompanionSocketClient({ client: fake.client });
  const told: string[] = [];
  client.on("error", ({ code }) => told.push(code));
  await client.sendMessage("luna", "hello");
  fake.move("k1", { status: "failed", failure: { code: "tooLarge", message: "no", retryable: false } });
  expect(told).toEqual(["tooLarge"]);
});

test("a client that was given is let go by close(), and followed again with the next login", async () => {
  const fake = new FakeChat("companion", "7");
  const client = new CompanionSocketClient({ client: fake.client });
  const told: string[] = [];
  client.on("connected", () => told.push("connected"));
  client.on("mood", () => told.push("mood"));
  await client.connect(7);
  await client.close();
  expect([client.isConnected(), fake.connection.state]).toEqual([false, "online"]);
  fake.disconnect();
  await client.connect(7);
  fake.tellWire("mood", {});
  expect(told).toEqual(["connected", "connected", "mood"]);
  expect([client.isConnected(), await client.client()]).toEqual([true, fake.client]);
  // Another one in its place.
  await client.close();
  const another = new FakeChat("companion", "8");
  client.configure({ client: another.client });
  await client.connect(8);
  expect(another.of("connect")).toHaveLength(1);
});

test("another login is another client, which waits for the end of the last one (C1)", async () => {
  const server = await serve();
  const { getToken: _, userId: _ana, ...options } = optionsFor(server, "ana");
  const client = new CompanionSocketClient(options);
  onTestFinished(() => client.close());
  const told: unknown[] = [];
  client.on("test:news", (value) => told.push(value));
  await expect(client.connect()).rejects.toMatchObject({ code: "config" });
  await client.connect("ana", "user:ana");
  const first = await client.client();
  await client.connect("ana", "user:ana#2");
  expect(await client.client()).toBe(first);
  const next = client.connect("ben", "user:ben");
  await next;
  expect(first.connection.state).toBe("closed");
  expect([(await client.client()).userId, client.getUserId()]).toEqual(["ben", "ben"]);
  // Listeners are the facade's, and stay.
  server.emit("test:news", 1);
  await expect.poll(() => told).toEqual([1]);
  expect(server.faults.dropSockets("ana")).toBe(0);
});

test("another user is not logged in with the last one's token", async () => {
  const server = await serve();
  const { getToken: _, userId: _ana, ...options } = optionsFor(server, "ana");
  const client = new CompanionSocketClient(options);
  onTestFinished(() => client.close());
  await client.connect("ana", "user:ana");
  await expect(client.connect("ben")).rejects.toMatchObject({ code: "config" });
  expect(client.isConnected()).toBe(false);
  await client.connect("ben", "user:ben");
  expect((await client.client()).userId).toBe("ben");
  // One that is asked for every time is asked for this user.
  const asking = new CompanionSocketClient({ ...options, getToken: () => `user:${asking.getUserId()}` });
  onTestFinished(() => asking.close());
  for (const user of ["cleo", "dan"]) {
    await asking.connect(user);
    expect(asking.isConnected()).toBe(true);
  }
});

test("disconnect() at logout holds also while the login is under way (C1)", async () => {
  const server = await serve();
  const { getToken: _, ...options } = optionsFor(server, "ana");
  const client = new CompanionSocketClient({ ...options, token: "user:ana" });
  onTestFinished(() => client.close());
  const login = client.connect();
  client.disconnect();
  await expect(login).rejects.toMatchObject({ code: "closed" });
  expect((await client.client()).connection.state).toBe("idle");
  await client.connect();
  expect(client.isConnected()).toBe(true);
});

test("closed while it is being made, and made again: never the closed one (C1)", async () => {
  const server = await serve();
  const { getToken: _, ...options } = optionsFor(server, "ana");
  const client = new CompanionSocketClient({ ...options, token: "user:ana" });
  onTestFinished(() => client.close());
  const first = client.client();
  await client.close();
  expect((await first).connection.state).toBe("closed");
  expect((await client.client()).connection.state).toBe("idle");
  await client.close();
  const second = client.client();
  const closed = client.close();
  const third = client.client();
  await closed;
  expect((await second).connection.state).toBe("closed");
  expect((await third).connection.state).toBe("idle");
  expect(await client.client()).toBe(await third);
  await client.connect();
  expect(client.isConnected()).toBe(true);
});

test("options may come before the first connect, and not another url behind it", async () => {
  const server = await serve();
  const { getToken: _, userId: _ana, url, ...options } = optionsFor(server, "ana");
  const client = new CompanionSocketClient(options);
  onTestFinished(() => client.close());
  client.configure({ url });
  await client.connect("ana", "user:ana");
  client.configure({ url });
  expect(() => client.configure({ url: "https://other.example" })).toThrow("another url");
  // What it is not is not said either.
  expect(() => client.configure({ userId: "ben" })).toThrow("another userId");
  expect(() => client.configure({ client: new FakeChat().client })).toThrow("another client");
  expect([client.getUserId(), (await client.client()).userId]).toEqual(["ana", "ana"]);
  // A token is that of this login, and no other one's.
  client.configure({ token: "user:ana#2" });
  await client.connect("ben", "user:ben");
  await client.connect("ana", "user:ana");
  // The rest holds for the client that is made next.
  client.configure({ limits: { maxTextLength: 3 } });
  await client.sendMessage("luna", "hello").catch(({ code }) => expect(code).not.toBe("tooLarge"));
  await client.close();
  await expect(client.sendMessage("luna", "hello")).rejects.toMatchObject({ code: "tooLarge" });
});
