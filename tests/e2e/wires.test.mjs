// The profiles `companion` and `channels` in a real browser against the official Socket.IO server: with all that WIRES.md
// marks **ours**, and plain, as the original backends are.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { startChannelsServer } from "@chatwire/test-servers/channels";
import { startCompanionServer } from "@chatwire/test-servers/companion";
import { numbered, sendAll } from "./lib/checks.mjs";
import { Client, swift } from "./lib/client.mjs";
import { openHarness, Stage } from "./lib/stage.mjs";

let stage;
before(async () => {
  stage = await Stage.open({ args: null });
});
afterEach(() => stage.leave());
after(() => stage?.close());

/** What differs: where the texts stand that the server has stored, and what is a settled message. */
const wires = {
  companion: {
    start: startCompanionServer,
    me: "7",
    facts: "C1, C2",
    budget: "C8",
    textsIn: (server) => server.log("7", "place").map(({ content }) => content),
  },
  channels: {
    start: startChannelsServer,
    me: "ana",
    facts: "H4, H7",
    budget: "H3",
    textsIn: (server) => server.log("place").map(({ content }) => content),
  },
};

const optionsOf = (profile, server, id) => swift(server.url, { id, prefix: `user:${id}` }, { profile });
const person = (profile, server, id = wires[profile].me) => stage.client(optionsOf(profile, server, id));
const shows = (who, what, text, isTrue) =>
  who.until(
    what,
    ([text, isTrue]) => {
      const row = harness.timeline("place").messages.find((m) => m.text === text);
      return row !== undefined && new Function("row", `return ${isTrue}`)(row);
    },
    [text, isTrue],
  );

test("companion: connect, send, her typing and answer, read both ways (C1 to C4, C6, D8)", async (t) => {
  for (const plain of [false, true]) {
    const server = await startCompanionServer({ plain });
    t.after(() => server.close());
    const me = await person("companion", server);
    await me.connect();
    const { key } = await me.send("place", "héllo 👋");
    await me.call("acknowledged", key);
    await shows(me, "the own copy", "héllo 👋", 'row.id === "1" && row.status === "acknowledged"');
    server.reads("7", "place", 1);
    await shows(me, "read", "héllo 👋", 'row.status === "read"');
    server.types("7", "place", true);
    await me.until("her typing", () => harness.typing("place").includes("place"));
    server.says("7", "place", "hello yourself");
    await shows(me, "her answer", "hello yourself", 'row.sender === "ai"');
    const { messages } = await me.timeline("place");
    assert.deepEqual(
      messages.map(({ text }) => text),
      ["héllo 👋", "hello yourself"],
    );
    await me.call("markRead", "place", messages[1].rowKey);
    const photo = await me.page.evaluate(async () => {
      const told = new Promise((resolve) => harness.wire().once("photo_generated", resolve));
      await harness.wire().send("request_photo", { user_id: 7, girl_id: "place" });
      return told;
    });
    assert.deepEqual(photo, { girl_id: "place", photo_url: "https://photos.example/place.png" });
    // What was sent before this has been heard by now.
    assert.equal(server.log("7", "place")[1].read, true);
    assert.deepEqual(server.refused(), []);
  }
});

test("companion: a photo that is asked for in a tab that follows is heard in both", async (t) => {
  const server = await startCompanionServer({});
  t.after(() => server.close());
  const context = await stage.profile();
  const tab = async () =>
    Client.on(await stage.blank(undefined, context), optionsOf("companion", server, "7"));
  const [leading, following] = [await tab(), await tab()];
  await leading.connect();
  await following.connect();
  for (const { page } of [leading, following]) {
    await page.evaluate(() => {
      globalThis.photo = new Promise((resolve) => harness.wire().once("photo_generated", resolve));
    });
  }
  await following.page.evaluate(() => harness.wire().send("request_photo", { user_id: 7, girl_id: "place" }));
  for (const { page } of [leading, following]) {
    const photo = await page.evaluate(() => globalThis.photo);
    assert.deepEqual(photo, { girl_id: "place", photo_url: "https://photos.example/place.png" });
  }
  assert.deepEqual(server.refused(), []);
});

test("channels: two people send, receive and read in one channel (H2, H4, H5)", async (t) => {
  for (const plain of [false, true]) {
    const server = await startChannelsServer({ plain });
    t.after(() => server.close());
    const [ana, ben] = await Promise.all(["ana", "ben"].map((id) => person("channels", server, id)));
    await Promise.all([ana.connect(), ben.connect()]);
    const { key } = await ana.send("place", "héllo 👋");
    assert.equal((await ana.call("acknowledged", key)).id, key);
    await shows(ana, "delivered", "héllo 👋", 'row.status === "delivered"');
    await shows(ben, "her message", "héllo 👋", 'row.senderId === "ana"');
    const { messages } = await ben.timeline("place");
    await ben.call("markRead", "place", messages[0].rowKey);
    await shows(ana, "read", "héllo 👋", 'row.status === "read"');
    await ben.send("place", "hello yourself");
    await shows(ana, "his answer", "hello yourself", 'row.senderId === "ben"');
    assert.deepEqual(wires.channels.textsIn(server), ["héllo 👋", "hello yourself"]);
    assert.deepEqual(server.refused(), []);
  }
});

for (const [profile, { start, me, facts, budget, textsIn }] of Object.entries(wires)) {
  for (const plain of [false, true]) {
    describe(`${profile}, ${plain ? "plain" : "full"}`, () => {
      const begin = async (t) => {
        const server = await start({ plain });
        t.after(() => server.close());
        return server;
      };
      const settled = async (client, server, texts) => {
        await client.until("an empty queue", async () => (await harness.call("outbox")).value.length === 0);
        // Where nothing is answered the server has it when its copy comes.
        await client.until("the server's copies", async () =>
          (await harness.loadWhole("place")).messages.every(({ id }) => id !== null),
        );
        const { messages } = await client.whole("place");
        assert.deepEqual(
          messages.map(({ text }) => text),
          texts,
        );
        assert.deepEqual(textsIn(server), texts);
      };

      test(`sent without a network, stored once and in order when it is back (${facts})`, async (t) => {
        const server = await begin(t);
        const client = await person(profile, server);
        await client.connect();
        await client.page.context().setOffline(true);
        server.faults.dropSockets();
        await client.until("the loss", () => harness.connection().state !== "online");
        const texts = await sendAll(client, "place", numbered("offline", 1, 20));
        assert.deepEqual(textsIn(server), []);
        await client.page.context().setOffline(false);
        await client.untilState("online");
        await settled(client, server, texts);
      });

      test(`a queue outlives the page: reloaded, it is there before any network, and goes (${facts})`, async (t) => {
        const server = await begin(t);
        await server.close();
        const page = await (await stage.profile()).newPage();
        const options = optionsOf(profile, server, me);
        await openHarness(page, stage.page.url);
        const first = await Client.on(page, options);
        const texts = await sendAll(first, "place", numbered("queued", 1, 20));
        await openHarness(page, stage.page.url);
        const client = await Client.on(page, options);
        const queue = await client.call("outbox");
        assert.deepEqual(
          queue.map(({ text }) => text),
          texts,
        );
        await server.open();
        await client.connect();
        await settled(client, server, texts);
      });

      test(`down for good: five attempts, failed; the network's return is a new budget (${budget})`, async (t) => {
        const server = await begin(t);
        const client = await person(profile, server);
        await client.connect();
        await server.close();
        await client.untilState("failed");
        const attempts = (await client.events("connection")).map(([{ attempt }]) => attempt);
        assert.equal(Math.max(...attempts), 5);
        assert.equal((await client.events("error")).length, 1);
        const texts = await sendAll(client, "place", numbered("kept", 1, 3));
        await server.open();
        await client.page.evaluate(() => dispatchEvent(new Event("online")));
        await client.untilState("online");
        await settled(client, server, texts);
      });
    });
  }
}
