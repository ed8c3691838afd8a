// The `team` profile in a real browser against the official Socket.IO server: with all that WIRES.md marks **ours**, and
// plain, as the original backend is.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { startTeamServer } from "@chatwire/test-servers/team";
import { swift } from "./lib/client.mjs";
import { Stage } from "./lib/stage.mjs";

let stage;
before(async () => {
  stage = await Stage.open({ args: null });
});
afterEach(() => stage.leave());
after(() => stage?.close());

const statusIs = (person, id, key, status) =>
  person.until(
    `${status}`,
    ([id, key, status]) => harness.timeline(id).messages.some((m) => m.key === key && m.status === status),
    [id, key, status],
  );
const textsOf = ({ messages }) => messages.map(({ text }) => text);
const decode = (row) => Buffer.from(row.content_encrypted, "base64").toString("utf8");

for (const plain of [false, true]) {
  describe(plain ? "plain" : "full", () => {
    let server;
    before(async () => {
      server = await startTeamServer({ plain });
    });
    after(() => server?.close());

    const person = (id) => stage.client(swift(server.url, { id, prefix: `user:${id}` }));
    let pairs = 0;
    const pair = async () => {
      const n = ++pairs;
      const [ana, ben] = await Promise.all([person(`ana${n}`), person(`ben${n}`)]);
      await Promise.all([ana.connect(), ben.connect()]);
      const { id } = await ana.call("createDirect", ben.userId);
      // The plain backend does not tell of new conversations: ben finds it with the first message.
      if (!plain) await ben.untilConversation(id);
      return { ana, ben, id };
    };
    const stored = (id) => server.log(id).map(decode);

    test("connect, send, receive, typing, read", async () => {
      const { ana, ben, id } = await pair();
      assert.equal(
        (await ana.page.evaluate(() => harness.guarantees())).delivery,
        plain ? "once-or-unconfirmed" : "exactly-once",
      );
      const { key } = await ana.send(id, "héllo 👋");
      const copy = await ana.call("acknowledged", key);
      assert.equal(copy.text, "héllo 👋");
      assert.notEqual(copy.id, null);
      await ben.untilConversation(id);
      await ben.untilCount(id, 1);
      const { messages } = await ben.timeline(id);
      assert.deepEqual(textsOf({ messages }), ["héllo 👋"]);
      await statusIs(ana, id, key, "delivered");
      await ben.call("markRead", id, messages[0].rowKey);
      await statusIs(ana, id, key, "read");

      await ben.call("setTyping", id, true);
      await ana.until("ben types", ([id, ben]) => harness.typing(id).includes(ben), [id, ben.userId]);
      await ben.call("setTyping", id, false);
      await ana.until("ben stops", (id) => harness.typing(id).length === 0, id);
      assert.deepEqual(stored(id), ["héllo 👋"]);
    });

    test("a new device has the newest page, and what comes before it as somebody scrolls up (T10)", async () => {
      const { ana, ben, id } = await pair();
      const texts = Array.from({ length: 130 }, (_, n) => `message ${n}`);
      let last;
      for (const text of texts) last = await ana.send(id, text);
      await ana.call("acknowledged", last.key);
      assert.deepEqual(stored(id), texts);
      const other = await stage.client(swift(server.url, { id: ben.userId, prefix: `user:${ben.userId}` }));
      await other.connect();
      await other.untilConversation(id);
      await other.until("the newest page", (id) => harness.timeline(id).messages.length === 50, id);
      const newest = await other.timeline(id);
      assert.deepEqual([textsOf(newest), newest.hasEarlier], [texts.slice(-50), true]);
      const whole = await other.whole(id);
      assert.deepEqual([textsOf(whole), whole.hasEarlier], [texts, false]);
    });

    test("a refused token is refreshed once, and the connection goes on (E8)", async () => {
      const { ana, ben, id } = await pair();
      server.faults.refuseConnect(1);
      server.faults.dropSockets(ana.userId);
      await ana.until("a fresh token", () => harness.facts.some((fact) => fact.reason === "refused"));
      await ana.untilState("online");
      const { key } = await ana.send(id, "after the refresh");
      await ana.call("acknowledged", key);
      await ben.untilConversation(id);
      await ben.untilCount(id, 1);
      assert.deepEqual(await ana.events("authError"), []);
    });

    test("two refusals in a row are an authError", async () => {
      const { ana } = await pair();
      server.faults.refuseConnect(2);
      server.faults.dropSockets(ana.userId);
      await ana.until("authError", () => harness.events.some(({ event }) => event === "authError"));
      assert.equal((await ana.events("authError"))[0][0].code, "auth");
    });
  });
}

describe("the answer is lost after the server stored the message", () => {
  const run = async (plain, fault) => {
    const server = await startTeamServer({ plain });
    const login = { id: "ana", prefix: "user:ana" };
    const ana = await stage.client(swift(server.url, login));
    await ana.connect();
    const { id } = await ana.call("createDirect", "ben");
    const first = await ana.send(id, "first");
    await ana.call("acknowledged", first.key);
    server.faults[fault](1);
    const lost = await ana.send(id, "lost");
    return { server, ana, id, lost };
  };
  const framesOf = async (ana, key) =>
    (await ana.facts("frameOut")).filter((fact) => fact.key === key).length;

  test("full: sent again under its key, stored once", async (t) => {
    const { server, ana, id, lost } = await run(false, "dropAfterStore");
    t.after(() => server.close());
    await ana.call("acknowledged", lost.key);
    const last = await ana.send(id, "last");
    await ana.call("acknowledged", last.key);
    assert.deepEqual(server.log(id).map(decode), ["first", "lost", "last"]);
    assert.deepEqual(textsOf(await ana.whole(id)), ["first", "lost", "last"]);
  });

  test("full: a known key answered with ConflictError is an acknowledgement (D3)", async (t) => {
    const server = await startTeamServer({ duplicates: "conflict" });
    t.after(() => server.close());
    const ana = await stage.client(swift(server.url, { id: "ana", prefix: "user:ana" }));
    await ana.connect();
    const { id } = await ana.call("createDirect", "ben");
    server.faults.dropAfterStore(1);
    const { key } = await ana.send(id, "once");
    await ana.call("acknowledged", key);
    assert.deepEqual(server.log(id).map(decode), ["once"]);
    assert.deepEqual(textsOf(await ana.whole(id)), ["once"]);
  });

  for (const fault of ["dropAfterStore", "dropBeforeStore"]) {
    test(`plain, ${fault}: failed('unconfirmed'), and not sent again by itself`, async (t) => {
      const { server, ana, id, lost } = await run(true, fault);
      t.after(() => server.close());
      const seen = await ana.call("acknowledged", lost.key).then(
        () => "acknowledged",
        (error) => error.code,
      );
      await ana.untilState("online");
      const last = await ana.send(id, "last");
      await ana.call("acknowledged", last.key);
      assert.equal(await framesOf(ana, lost.key), 1, "sent again by itself");
      const wasStored = fault === "dropAfterStore";
      assert.deepEqual(server.log(id).map(decode), wasStored ? ["first", "lost", "last"] : ["first", "last"]);
      if (wasStored) {
        // Its copy was broadcast before the cut, or is found in the history: then the doubt is over.
        assert.match(seen, /^(acknowledged|unconfirmed)$/);
        await statusIs(ana, id, lost.key, "acknowledged");
        assert.deepEqual(textsOf(await ana.whole(id)), ["first", "lost", "last"]);
        return;
      }
      assert.equal(seen, "unconfirmed");
      // The user decides.
      await ana.call("resend", lost.key);
      await ana.call("acknowledged", lost.key);
      assert.deepEqual(server.log(id).map(decode), ["first", "last", "lost"]);
      assert.deepEqual(textsOf(await ana.whole(id)), ["first", "last", "lost"]);
    });
  }
});
