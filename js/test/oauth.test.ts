// The event `oauthRequired` (A5, A11): what a message asks for, once, and only addresses that may be opened.
import { startCompanionServer } from "@chatwire/test-servers/guides";
import { expect, onTestFinished, test } from "vitest";
import { createChat, handleOAuthRequest } from "../src/index.js";
import { FakeChat } from "./fake.js";
import { next, optionsFor, pair, serve } from "./support.js";

const authUrl = "https://provider.example/authorize";

test("a message of type oauth_required is told as oauthRequired, once, behind its message (A11)", async () => {
  const server = await startCompanionServer();
  onTestFinished(() => server.close());
  const getToken = () => "user:7";
  const chat = await createChat({ ...optionsFor(server, "7"), profile: "companion", getToken });
  onTestFinished(() => chat.close());
  await chat.connect();
  const told: unknown[] = [];
  chat.on("message", ({ text }) => told.push(text));
  chat.on("oauthRequired", ({ authUrl, message, leader }) => told.push([authUrl, message.text, leader]));
  const last = next(chat, "message", ({ text }) => text === "only a text");
  server.say(7, "luna", "allow this?", { type: "oauth_required", metadata: { authUrl } });
  server.say(7, "luna", "only a text", { metadata: { authUrl } });
  await last;
  expect(told).toEqual(["allow this?", [authUrl, "allow this?", true], "only a text"]);
});

test("another user cannot ask for consent", async () => {
  const server = await serve();
  const { ana, ben, id } = await pair(server);
  const told: string[] = [];
  ben.on("oauthRequired", () => told.push("asked by another user"));
  ben.on("error", ({ message }) => told.push(message));
  const record = { conversation_id: id, sender_id: "ana", content_encrypted: btoa("allow this?") };
  const created_at = new Date().toISOString();
  const arrived = next(ben, "message");
  const type = { message_type: "oauth_required", metadata: { authUrl } };
  server.emit("chat:message_received", { id: "900", ...record, ...type, created_at });
  const [message] = await arrived;
  expect(message).toMatchObject({ type: "oauth_required", sender: "user" });
  await ana.send(id, "behind it");
  await next(ben, "message", ({ text }) => text === "behind it");
  expect(told).toEqual([]);
});

test("an address that is not http or https is an error, and is not told", () => {
  const fake = new FakeChat("assistant");
  const errors: unknown[] = [];
  fake.on("error", ({ code, message }) => errors.push([code, message]));
  fake.on("oauthRequired", () => errors.push("told"));
  const wrong = [{ authUrl: "javascript:alert(1)" }, { authUrl: 7 }, {}, null, "text", [authUrl]];
  for (const metadata of wrong) fake.receive({ sender: "ai", type: "oauth_required", metadata });
  expect(errors).toHaveLength(wrong.length);
  for (const error of errors) expect(error).toEqual(["protocol", expect.stringContaining("not opened")]);
  expect(JSON.stringify(errors)).not.toContain("alert");
});

test("what was missed and is caught up is history, and asks nobody", () => {
  const fake = new FakeChat("assistant");
  const told: unknown[] = [];
  fake.on("oauthRequired", ({ message }) => told.push(message.id));
  fake.receive({ id: "1", sender: "ai", type: "oauth_required", metadata: { authUrl } }, false);
  fake.receive({ id: "2", sender: "system", type: "oauth_required", metadata: { authUrl } });
  expect(told).toEqual(["2"]);
});

test("on a server there is nothing to open", async () => {
  await expect(handleOAuthRequest(authUrl)).rejects.toMatchObject({ code: "unsupported" });
});
