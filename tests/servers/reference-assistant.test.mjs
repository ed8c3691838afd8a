// Our assistant endpoint under a WebSocket client that knows nothing of ours: what it says on the wire is A1 to A14.
import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { openSocket, sealed } from "./json-socket.mjs";
import { upgradeStatus } from "./phoenix.mjs";
import { startReference } from "./reference.mjs";

const running = [];
afterEach(async () => {
  for (const thing of running.splice(0).reverse()) await thing.close();
});

async function serve(args = []) {
  const server = await startReference(["--script-delay-ms", "1", ...args]);
  running.push(server);
  return server;
}

async function signIn(server, name, { plain = false, origin, token: given } = {}) {
  const { token, user } = await server.login(name);
  const url = `${plain ? server.plain.assistant : server.assistant}?userId=${user.id}`;
  const socket = await openSocket(url, sealed(given ?? token), { origin });
  running.push(socket);
  const command = (message, extra = {}) =>
    socket.send({
      type: "command",
      payload: {
        commandType: "text_command",
        message,
        userId: user.id,
        userTimezone: "Europe/Berlin",
        ...extra,
      },
      timestamp: Date.now(),
    });
  const log = () => server.log(`assistant:${user.id}`);
  return { ...socket, token, user, url, command, log };
}

const says = (type) => (record) => record.sender === "ai" && record.type === type;

describe("assistant: connecting", () => {
  test("A1 A2 D9 the token by sub-protocol, of which the server picks chatwire", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana");
    assert.equal(ana.socket.protocol, "chatwire");
    const { user: ben } = await server.login("ben");
    const status = (query, token = ana.token) =>
      upgradeStatus(`${server.assistant}${query}`, token && sealed(token));
    assert.equal(await status(`?userId=${ana.user.id}`), 101);
    assert.equal(await status(`?userId=${ben.id}`), 401, "somebody else's");
    assert.equal(await status(`?userId=${ana.user.id}`, "bad"), 401, "D6");
    assert.equal(await status(""), 400);
    const evil = { origin: "https://example.org" };
    assert.equal(await upgradeStatus(ana.url, sealed(ana.token), evil), 403);
  });

  test("A2 D9 the token as the first frame, or as a query parameter", async () => {
    const server = await serve();
    const { token, user } = await server.login("ana");
    const byQuery = await openSocket(`${server.assistant}?userId=${user.id}&token=${token}`);
    running.push(byQuery);
    await byQuery.next("hello");
    const open = async (frame) => {
      const socket = await openSocket(`${server.assistant}?userId=${user.id}`);
      running.push(socket);
      socket.send(frame);
      return socket;
    };
    const good = await open({ type: "auth", payload: { token } });
    assert.equal(await good.next("auth_ok"), undefined);
    await good.next("hello");
    for (const frame of [{ type: "auth", payload: { token: "bad" } }, { type: "ping" }, "no JSON"]) {
      const refused = await open(frame);
      assert.equal((await refused.next("error")).code, "auth");
      assert.equal((await refused.closed).code, 1008);
    }
    good.send({ type: "auth", payload: { token } });
    await good.next("auth_ok");
    good.send({ type: "auth", payload: { token: "bad" } });
    assert.equal((await good.next("error")).code, "auth");
  });

  test("D2 A6 hello is the first frame, context the second", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana");
    await ana.next("context");
    const { capabilities, user } = await ana.next("hello");
    const { maxPayload, ...flags } = capabilities;
    const none = { cursor: false, orderedWindow: false, receipts: false };
    assert.deepEqual(flags, { keys: true, answers: true, ...none });
    assert.ok(maxPayload > 0);
    assert.deepEqual(user, { id: ana.user.id });
  });

  test("D6 an expired token ends the socket without a goodbye, and is refused", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana");
    await server.fault({ fault: "expire_tokens" });
    assert.equal((await ana.closed).code, 1006);
    assert.equal(await upgradeStatus(ana.url, sealed(ana.token)), 401);
    await signIn(server, "ana");
  });

  test("A9 the client's goodbye is answered", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana");
    assert.deepEqual(await ana.close(), { code: 1000, reason: "done" });
  });

  test("A10 a ping is answered; who sends none is asked, and stays while it answers", async () => {
    const server = await serve(["--idle-timeout-ms", "100"]);
    const ana = await signIn(server, "ana");
    ana.send({ type: "ping" });
    assert.equal(await ana.next("pong"), undefined);
    let asked = 0;
    await new Promise((resolve) => ana.socket.on("ping", () => ++asked === 4 && resolve()));
    ana.send({ type: "ping" });
    await ana.next("pong");
  });
});

describe("assistant: talking", () => {
  test("A3 A4 A5 A8 a command is acknowledged; the assistant types and answers in parts", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana");
    ana.command("grüß dich 👋", { clientMessageId: "k1", metadata: ["any"] });
    const ack = await ana.next("ack");
    assert.deepEqual(Object.keys(ack).sort(), ["clientMessageId", "id"]);
    assert.equal(ack.clientMessageId, "k1");
    assert.deepEqual(await ana.next("typing"), { isTyping: true });
    const first = await ana.next("message");
    assert.deepEqual(Object.keys(first).sort(), ["content", "id", "metadata", "sender", "timestamp", "type"]);
    assert.equal(first.sender, "ai");
    assert.equal(first.type, "text");
    assert.match(first.content, /grüß dich/);
    assert.ok(Math.abs(Date.parse(first.timestamp) - Date.now()) < 60_000, first.timestamp);
    assert.deepEqual(await ana.next("typing"), { isTyping: true });
    const second = await ana.next("message");
    assert.notEqual(second.id, first.id);
    assert.equal(typeof second.metadata.confidence, "number");
    assert.match(second.metadata.sources[0].url, /^http/);
    assert.deepEqual(await ana.next("typing"), { isTyping: false });
    assert.equal((await ana.log())[0].text, "grüß dich 👋");
  });

  test("A5 A11 the second message gets an action, the third a request for consent, once", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana");
    const kinds = [];
    for (const text of ["one", "two", "three", "four"]) {
      ana.command(text);
      await ana.next("typing", ({ isTyping }) => !isTyping);
      const records = ana.seen.filter(({ type }) => type === "message").map(({ payload }) => payload);
      ana.seen.length = 0;
      kinds.push(records.map(({ type }) => type).join());
      const action = records.find(says("action"));
      if (action) assert.equal(typeof action.metadata.actions[0].label, "string");
    }
    assert.deepEqual(kinds, ["text,text", "text,text,action", "text,text,oauth_required", "text,text"]);
  });

  test("A6 context tells the zone that the user is in", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana");
    const context = await ana.next("context");
    assert.equal(context.userId, ana.user.id);
    assert.equal(context.timezone, "UTC");
    assert.ok(Array.isArray(context.capabilities));
    assert.deepEqual(context.preferences, {});
    ana.command("hi");
    assert.equal((await ana.next("context")).timezone, "Europe/Berlin");
  });

  test("A5 the user's other socket sees both sides; the sending one its acknowledgement", async () => {
    const server = await serve();
    const [ana, second] = [await signIn(server, "ana"), await signIn(server, "ana")];
    ana.command("hi", { clientMessageId: "k1" });
    const { id } = await ana.next("ack");
    const own = await second.next("message", ({ sender }) => sender === "user");
    assert.equal(own.id, id);
    assert.equal(own.clientMessageId, "k1");
    assert.equal(own.content, "hi");
    await second.next("message", says("text"));
    await ana.next("typing", ({ isTyping }) => !isTyping);
    assert.ok(ana.seen.every(({ payload }) => payload?.sender !== "user"));
  });

  test("A6 D3 what is not in order is answered with an error, and the socket stays", async () => {
    const server = await serve(["--max-text", "20"]);
    const ana = await signIn(server, "ana");
    const field = async () => {
      const { code, message, ...rest } = await ana.next("error");
      assert.equal(typeof message, "string");
      return [code, rest.field, rest.clientMessageId];
    };
    ana.command("", { clientMessageId: "k1" });
    assert.deepEqual(await field(), ["ValidationError", "message", "k1"]);
    ana.command("x".repeat(21));
    assert.deepEqual(await field(), ["TooLarge", "message", undefined]);
    ana.command("hi", { userId: "u_other" });
    assert.deepEqual(await field(), ["ForbiddenError", "userId", undefined]);
    ana.command("hi", { commandType: "voice_command" });
    assert.deepEqual(await field(), ["ValidationError", "commandType", undefined]);
    ana.send({ type: "dance" });
    assert.deepEqual(await field(), ["ValidationError", "type", undefined]);
    for (const frame of ["{", "[]", Buffer.from([1, 2])]) {
      ana.socket.send(frame);
      assert.deepEqual(await field(), ["ValidationError", "frame", undefined]);
    }
    ana.command("good", { clientMessageId: "k2" });
    await ana.next("ack");
  });
});

describe("assistant: keys", () => {
  test("A4 D3 the same key again: the first answer, stored once; other content: an error on the key", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana");
    ana.command("once", { clientMessageId: "k1" });
    const first = await ana.next("ack");
    await ana.next("typing", ({ isTyping }) => !isTyping);
    ana.command("once", { clientMessageId: "k1" });
    assert.deepEqual(await ana.next("ack"), { ...first, duplicate: true });
    ana.command("other", { clientMessageId: "k1" });
    const { code, field, clientMessageId } = await ana.next("error");
    assert.deepEqual([code, field, clientMessageId], ["ValidationError", "clientMessageId", "k1"]);
    const ben = await signIn(server, "ben");
    ben.command("mine", { clientMessageId: "k1" });
    assert.equal((await ben.next("ack")).duplicate, undefined, "keys are scoped by sender");
    assert.deepEqual(
      (await ana.log()).map(({ text }) => text).filter((text) => text === "once"),
      ["once"],
    );
    assert.equal((await ana.log()).length, 3, "no second answer");
  });

  test("A4 an acknowledgement that is lost after storing: the same key again finds the message", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana");
    await server.fault({ fault: "lose_ack", user: "ana" });
    ana.command("once", { clientMessageId: "k1" });
    assert.equal((await ana.closed).code, 1006);
    const again = await signIn(server, "ana");
    again.command("once", { clientMessageId: "k1" });
    assert.equal((await again.next("ack")).duplicate, true);
  });

  test("D3 a send that fails for now says so", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana");
    await server.fault({ fault: "fail_send", code: "RateLimited", retry_after_ms: 5, user: "ana" });
    ana.command("hi", { clientMessageId: "k1" });
    const { code, retry_after_ms, clientMessageId } = await ana.next("error");
    assert.deepEqual([code, retry_after_ms, clientMessageId], ["RateLimited", 5, "k1"]);
    ana.command("hi", { clientMessageId: "k1" });
    assert.equal((await ana.next("ack")).duplicate, undefined);
  });

  test("A6 A10 D2 a plain server: bare records, no hello, no key, no ack, no pong", async () => {
    const server = await serve();
    const ana = await signIn(server, "ana", { plain: true });
    ana.send({ type: "ping" });
    for (let i = 0; i < 2; i++) {
      ana.command("again", { clientMessageId: "k1" });
      await ana.next("record", (record) => says("text")(record) && /again/.test(record.content));
      await ana.next("typing", ({ isTyping }) => !isTyping);
    }
    const types = new Set(ana.seen.map(({ type }) => type));
    assert.deepEqual([...types].sort(), ["context", "record", "typing"]);
    assert.equal((await ana.log()).filter(({ text }) => text === "again").length, 2);
  });
});

describe("assistant: consent", () => {
  /** A page of this origin is asked for consent. */
  async function asked(server, origin) {
    const ana = await signIn(server, "ana", { origin });
    ana.command("what is in my calendar?");
    const record = await ana.next("message", says("oauth_required"));
    assert.deepEqual(Object.keys(record.metadata), ["authUrl"]);
    return { ana, authUrl: new URL(record.metadata.authUrl) };
  }

  /** What the page's button does. */
  async function answer(authUrl, how) {
    const page = await fetch(authUrl);
    assert.equal(page.status, 200);
    assert.match(page.headers.get("content-security-policy"), /frame-ancestors 'none'/);
    const action = new RegExp(`action="([^"]*answer=${how})"`).exec(await page.text())[1];
    const target = new URL(action.replaceAll("&amp;", "&"), authUrl);
    return fetch(target, { method: "POST", redirect: "manual" });
  }

  test("A11 consent leads back to the application's oauth-callback with its state, once", async () => {
    const server = await serve();
    const { ana, authUrl } = await asked(server, "http://localhost:5173");
    assert.equal(authUrl.origin, server.origin);
    const response = await answer(authUrl, "allow");
    assert.equal(response.status, 303);
    const back = new URL(response.headers.get("location"));
    assert.equal(back.origin + back.pathname, "http://localhost:5173/oauth-callback");
    assert.equal(back.searchParams.get("state"), authUrl.searchParams.get("state"));
    assert.ok(back.searchParams.get("code"));
    await ana.next("message", ({ content }) => /connected/.test(content));
    assert.equal((await fetch(authUrl)).status, 410, "answered");
    ana.command("and my calendar now?");
    await ana.next("message", ({ content }) => /now/.test(content));
    await ana.next("message", ({ metadata }) => metadata.sources);
    await ana.next("typing", ({ isTyping }) => !isTyping);
    assert.ok(
      ana.seen.every(({ payload }) => payload?.type !== "oauth_required"),
      "asked once",
    );
  });

  test("A11 who denies comes back too, and may be asked again", async () => {
    const server = await serve();
    const { ana, authUrl } = await asked(server, "http://localhost:5173");
    const back = new URL((await answer(authUrl, "deny")).headers.get("location"));
    assert.equal(back.searchParams.get("error"), "access_denied");
    assert.equal(back.searchParams.get("code"), null);
    ana.command("calendar?");
    await ana.next("message", says("oauth_required"));
  });

  test("A11 without a page of its own a client comes back to ours", async () => {
    const server = await serve();
    const { authUrl } = await asked(server, undefined);
    const response = await answer(authUrl, "allow");
    const back = await fetch(response.headers.get("location"));
    assert.equal(back.status, 200);
    assert.match(await back.text(), /close this window/);
  });

  test("A11 nobody is sent to a foreign page, or to another page than oauth-callback", async () => {
    const server = await serve();
    const { authUrl } = await asked(server, "http://localhost:5173");
    for (const [redirect, status] of [
      ["https://evil.example/oauth-callback", 400],
      ["http://localhost:5173/other", 400],
      ["http://localhost:5173@evil.example/oauth-callback", 400],
      ["http://localhost:5173\\@evil.example/oauth-callback", 400],
      ["http://localhost:5173/x?y=/oauth-callback", 400],
      ["javascript://localhost/oauth-callback", 400],
      ["/oauth-callback", 400],
      ["http://127.0.0.1:9/app/oauth-callback.html", 200],
    ]) {
      authUrl.searchParams.set("redirect_uri", redirect);
      const page = await fetch(authUrl);
      assert.equal(page.status, status, redirect);
      const target = new URL(authUrl);
      target.searchParams.set("answer", "allow");
      if (status === 400) assert.equal((await fetch(target, { method: "POST" })).status, 400, redirect);
    }
    authUrl.searchParams.set("state", "<script>");
    assert.equal((await fetch(authUrl)).status, 410);
  });
});
