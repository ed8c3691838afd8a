// The event `oauthRequired` (A5, A11): what a message asks for, once, and only addresses that may be opened.
import { expect, test } from "vitest";
import { handleOAuthRequest } from "../src/index.js";
import { FakeChat } from "./fake.js";
import { next, pair, serve } from "./support.js";

const authUrl = "https://provider.example/authorize";

test("a message of type oauth_required is told as oauthRequired, once, behind its message (A11)", async () => {
  const server = await serve();
  const { ana, ben, id } = await pair(server);
  const told: unknown[] = [];
  ben.on("message", ({ text }) => told.push(text));
  ben.on("oauthRequired", ({ authUrl, message, leader }) => told.push([authUrl, message.text, leader]));
  ana.on("oauthRequired", () => told.push("who sends it is not asked"));
  // The team's server takes no such message from a client.
  const asked = { id: "900", conversation_id: id, sender_id: "ana", content_encrypted: btoa("allow this?") };
  const created_at = new Date().toISOString();
  server.emit("chat:message_received", {
    ...asked,
    message_type: "oauth_required",
    metadata: { authUrl },
    created_at,
  });
  await ana.send(id, { text: "only a text", metadata: { authUrl } });
  await next(ben, "message", ({ text }) => text === "only a text");
  expect(told).toEqual(["allow this?", [authUrl, "allow this?", true], "only a text"]);
});

test("an address that is not http or https is an error, and is not told", () => {
  const fake = new FakeChat("assistant");
  const errors: unknown[] = [];
  fake.on("error", ({ code, message }) => errors.push([code, message]));
  fake.on("oauthRequired", () => errors.push("told"));
  const wrong = [{ authUrl: "javascript:alert(1)" }, { authUrl: 7 }, {}, null, "text", [authUrl]];
  for (const metadata of wrong) fake.receive({ type: "oauth_required", metadata });
  expect(errors).toHaveLength(wrong.length);
  for (const error of errors) expect(error).toEqual(["protocol", expect.stringContaining("not opened")]);
  expect(JSON.stringify(errors)).not.toContain("alert");
});

test("what was missed and is caught up is history, and asks nobody", () => {
  const fake = new FakeChat("assistant");
  const told: unknown[] = [];
  fake.on("oauthRequired", ({ message }) => told.push(message.id));
  fake.receive({ id: "1", type: "oauth_required", metadata: { authUrl } }, false);
  fake.receive({ id: "2", type: "oauth_required", metadata: { authUrl } });
  expect(told).toEqual(["2"]);
});

test("on a server there is nothing to open", async () => {
  await expect(handleOAuthRequest(authUrl)).rejects.toMatchObject({ code: "unsupported" });
});
