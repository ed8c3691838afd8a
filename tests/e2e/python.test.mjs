// The profiles `team`, `companion` and `channels` in a real browser against python-socketio: what other people's Python
// backends run on. js/test/python.test.ts looks closer, without a browser.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { preparePython, startPython } from "@chatwire/test-servers/python";
import { numbered, sendAll } from "./lib/checks.mjs";
import { swift } from "./lib/client.mjs";
import { Stage } from "./lib/stage.mjs";
import { until } from "./lib/until.mjs";

let stage;
before(async () => {
  await preparePython();
  stage = await Stage.open({ args: null });
});
afterEach(() => stage.leave());
after(() => stage?.close());

const wires = {
  team: {
    people: ["ana", "ben"],
    begin: async ([ana, ben]) => (await ana.call("createDirect", ben.userId)).id,
    textsIn: async (server, id) =>
      (await server.log(id)).map(({ content_encrypted }) =>
        Buffer.from(content_encrypted, "base64").toString(),
      ),
    facts: "T1 to T5",
  },
  channels: {
    people: ["ana", "ben"],
    begin: async () => "general",
    textsIn: async (server, id) => (await server.log(id)).map(({ content }) => content),
    facts: "H2, H4, H7",
  },
  companion: {
    people: ["7"],
    begin: async () => "luna",
    textsIn: async (server, id) => (await server.log("7", id)).map(({ content }) => content),
    facts: "C1 to C4, C6",
  },
};

for (const [profile, { people, begin, textsIn, facts }] of Object.entries(wires)) {
  for (const plain of [false, true]) {
    const kind = plain ? "plain" : "full";
    test(`${profile}, ${kind}, python-socketio: send, receive, type, read, offline, a refused token (${facts})`, async (t) => {
      const server = await startPython(profile, { plain, prefix: "/some/where" });
      t.after(() => server.close());
      const all = await Promise.all(
        people.map((id) => stage.client(swift(server.url, { id, prefix: `user:${id}` }, { profile }))),
      );
      for (const one of all) await one.connect();
      const [me, other] = all;
      const id = await begin(all);

      await me.send(id, "héllo 👋");
      await me.until("the server's copy", (id) => harness.timeline(id).messages[0]?.id, id);
      await answerAndRead(server, { me, other, id });

      await me.page.context().setOffline(true);
      await server.faults.dropSockets(me.userId);
      await me.until("the loss", () => harness.connection().state !== "online");
      const queued = await sendAll(me, id, numbered("offline", 1, 12));
      await server.faults.refuseConnect(1);
      await me.page.context().setOffline(false);
      await me.untilState("online");
      await me.until("an empty queue", async () => (await harness.call("outbox")).value.length === 0);
      assert.ok(
        (await me.facts("token")).some(({ reason }) => reason === "refused"),
        "another token",
      );
      const mine = async () => (await textsIn(server, id)).filter((text) => text !== "hello yourself");
      await until("what was queued", async () => (await mine()).length === 13);
      assert.deepEqual(await mine(), ["héllo 👋", ...queued]);
      assert.deepEqual(await server.refused(), []);
    });
  }
}

/** The other side, a browser's too or the server's own, types, answers, and has read. */
async function answerAndRead(server, { me, other, id }) {
  const shown = (who, text) =>
    who.until(text, ([id, text]) => harness.timeline(id).messages.some((m) => m.text === text), [id, text]);
  if (other === undefined) {
    await server.types("7", id, true);
    await me.until("her typing", (id) => harness.typing(id).includes(id), id);
    await server.says("7", id, "hello yourself");
    await server.reads("7", id, 1);
  } else {
    await shown(other, "héllo 👋");
    await other.call("setTyping", id, true);
    const { messages } = await other.timeline(id);
    await other.call("markRead", id, messages[0].rowKey);
    await other.send(id, "hello yourself");
  }
  await shown(me, "hello yourself");
  await me.until(
    "read",
    (id) => harness.timeline(id).messages.find((m) => m.text === "héllo 👋")?.status === "read",
    id,
  );
}
