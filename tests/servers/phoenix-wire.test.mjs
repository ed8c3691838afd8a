// Our Phoenix endpoint, frame by frame: what no client shows, and what it shares with the `team` wire.
import assert from "node:assert/strict";
import { once } from "node:events";
import { afterEach, describe, test } from "node:test";
import { rest } from "./client.mjs";
import { openRaw, setUpWire, socketUrl, subprotocols, upgradeStatus } from "./phoenix.mjs";

const running = [];
afterEach(async () => {
  for (const thing of running.splice(0).reverse()) await thing.close();
});

const setUp = (args) => setUpWire(running, args);

describe("X1 connecting", () => {
  test("by sub-protocol and by parameter, with and without a slash at the end", async () => {
    const { server, ana } = await setUp();
    const { token, open } = ana;
    assert.equal((await open()).ws.protocol, "phoenix");
    const bare = await openRaw(socketUrl(server.phoenix, { token }));
    running.push(bare);
    assert.equal(bare.ws.protocol, "");
    assert.equal((await bare.push(null, "1", "phoenix", "heartbeat")).status, "ok");
    assert.equal(await upgradeStatus(socketUrl(server.phoenix, { token }, "/websocket/")), 101);
    assert.equal(await upgradeStatus(socketUrl(server.phoenix, { token }), ["phoenix"]), 101);
  });

  test("refusals: token, version, sub-protocol, origin are 403, other paths 404", async () => {
    const { server, ana } = await setUp();
    const { token } = ana;
    const status = (parameters, protocols, headers) =>
      upgradeStatus(socketUrl(server.phoenix, parameters), protocols, headers);
    assert.equal(await status({}), 403);
    assert.equal(await status({ token: "bad" }), 403);
    assert.equal(await status({}, subprotocols("bad")), 403);
    assert.equal(await status({}, ["phoenix", "base64url.bearer.phx.Pz8_"]), 403);
    assert.equal(await status({ token }, ["other"]), 403);
    for (const vsn of ["2", "2.0", "2.1.0", "1.0.0", ""])
      assert.equal(await status({ token, vsn }), 403, vsn);
    assert.equal(await status({ token, vsn: "2.0.5" }), 101);
    assert.equal(await status({ token }, [], { origin: "https://example.org" }), 403);
    assert.equal(await status({ token }, [], { origin: "http://localhost:5173" }), 101);
    assert.equal(await status({ token }, [], { origin: server.origin }), 101);
    const withoutVersion = `${server.phoenix.replace("http", "ws")}/websocket?token=${token}`;
    assert.equal(await upgradeStatus(withoutVersion), 403);
    assert.equal(await upgradeStatus(socketUrl(server.phoenix, { token }, "")), 404);
    assert.equal(await upgradeStatus(socketUrl(server.phoenix, { token }, "/other")), 404);
  });

  test("a token that expires ends the socket as a lost network would, and is refused then", async () => {
    const { server, ana } = await setUp(["--token-ttl", "2"]);
    assert.equal(await (await ana.open()).closed(), 1006);
    assert.equal(await upgradeStatus(socketUrl(server.phoenix), subprotocols(ana.token)), 403);
  });
});

describe("X9 X10 closing", () => {
  test("a frame over the limit is 1009, and one within it is taken", async () => {
    const { ana, topic, joined } = await setUp(["--max-payload", "2000"]);
    const socket = await joined(ana);
    const sent = await socket.push("1", "2", topic, "message:send", { content: "x".repeat(1500) });
    assert.equal(sent.status, "ok");
    socket.send("1", "3", topic, "message:send", { content: "x".repeat(2500) });
    assert.equal(await socket.closed(), 1009);
  });

  test("fragments make one frame, and bytes that are no UTF-8 are 1007", async () => {
    const { ana, topic, joined } = await setUp();
    const socket = await joined(ana);
    const text = Buffer.from(JSON.stringify(["1", "2", topic, "message:send", { content: "é☃" }]));
    const inside = text.indexOf("é") + 1;
    socket.ws.send(text.subarray(0, inside), { binary: false, fin: false });
    socket.ws.send(text.subarray(inside), { binary: false, fin: true });
    assert.equal((await socket.reply("2")).response.message.content, "é☃");
    socket.ws.send(Buffer.from([0x5b, 0xff, 0x5d]), { binary: false });
    assert.equal(await socket.closed(), 1007);
  });

  test("silence is 1002; traffic in either direction, and a ping, is none", async () => {
    const idleMs = 400;
    const { ana, ben, topic, joined } = await setUp([
      "--idle-timeout-ms",
      String(idleMs),
      "--rate-burst",
      "100000",
    ]);
    const [listener, talker, pinger] = [await joined(ana), await joined(ben), await joined(ben)];
    const began = performance.now();
    for (let n = 0; performance.now() - began < 2 * idleMs; n++) {
      await talker.push("1", `t${n}`, topic, "typing", { is_typing: true });
      await listener.event("typing");
      pinger.ws.ping();
      await once(pinger.ws, "pong");
    }
    assert.deepEqual([listener.code, talker.code, pinger.code], [undefined, undefined, undefined]);
    assert.equal(await listener.closed(), 1002);
  });

  test("a graceful stop is 1012, without phx_close or phx_error", async () => {
    const { server, ana, joined } = await setUp();
    const socket = await joined(ana);
    running.splice(running.indexOf(server), 1);
    const [exit, code] = await Promise.all([server.close(), socket.closed()]);
    assert.deepEqual([exit, code, socket.seen], [0, 1012, []]);
  });

  test("a kill is a lost network", async () => {
    const { server, ana, joined } = await setUp();
    const socket = await joined(ana);
    await server.kill();
    assert.equal(await socket.closed(), 1006);
  });
});

describe("X3 X4 X6 channels", () => {
  test("a duplicate join: the new ok, then the old phx_close; the old one's pushes are dropped", async () => {
    const { ana, topic, joined } = await setUp();
    const socket = await joined(ana);
    socket.send("2", "2", topic, "phx_join", {});
    const [, , , , { status }] = await socket.next();
    assert.equal(status, "ok");
    assert.deepEqual(await socket.next(), ["1", "1", topic, "phx_close", {}]);
    await socket.event("presence_state");
    await socket.settle();
    socket.send("1", "3", topic, "message:send", { content: "stale" });
    socket.send(null, "4", topic, "message:send", { content: "stale" });
    const { response } = await socket.push("2", "5", topic, "message:send", { content: "fresh" });
    assert.equal(response.message.seq, 1, "nothing else was stored");
    assert.deepEqual(await socket.settle(), []);
  });

  test("a rejoin that is refused ends the old channel too: the error, then phx_close", async () => {
    const { ana, ben, topic, server } = await setUp();
    const body = { kind: "group", title: "Club", participant_ids: [ben.id] };
    const club = (await ana.rest("POST", "/api/conversations", body)).body.conversation;
    const socket = await ben.open();
    const clubTopic = `conversation:${club.id}`;
    assert.equal((await socket.join("1", clubTopic)).status, "ok");
    const team = rest(server.url, ana.token);
    assert.equal((await team("DELETE", `/api/conversations/${club.id}/participants/${ben.id}`)).status, 200);
    const closed = await socket.take("phx_close", ([, , , event]) => event === "phx_close");
    assert.deepEqual(closed, ["1", "1", clubTopic, "phx_close", {}], "who is removed hears no more");
    assert.deepEqual(await socket.join("2", clubTopic), {
      status: "error",
      response: { reason: "forbidden" },
    });
    assert.equal((await socket.join("3", topic)).status, "ok", "other topics are unaffected");
  });

  test("leave and rejoin in one burst: both are answered", async () => {
    const { ana, topic, joined } = await setUp();
    const socket = await joined(ana);
    socket.send("1", "2", topic, "phx_leave", {});
    socket.send("3", "3", topic, "phx_join", {});
    assert.deepEqual(await socket.next(), ["1", "2", topic, "phx_reply", { status: "ok", response: {} }]);
    assert.deepEqual(await socket.next(), ["1", "1", topic, "phx_close", {}]);
    assert.equal((await socket.reply("3")).status, "ok");
  });

  test("an answer that comes after the end of its channel never comes", async () => {
    const { server, ana, topic, joined } = await setUp();
    const socket = await joined(ana);
    await server.fault({ fault: "delay_ack", ms: 50 });
    socket.send("1", "2", topic, "message:send", { content: "late" });
    socket.send("1", "3", topic, "no such event", {});
    assert.deepEqual(await socket.next(), ["1", "1", topic, "phx_error", {}]);
    assert.equal((await socket.join("4", topic)).status, "ok");
    await server.fault({ fault: "delay_ack", ms: 100 });
    const { response } = await socket.push("4", "5", topic, "message:send", { content: "in time" });
    assert.equal(response.message.seq, 2);
    const replies = (await socket.settle()).filter(([, , , event]) => event === "phx_reply");
    assert.deepEqual(replies, []);
  });

  test("two replies to one ref, of any status", async () => {
    const { ana, topic, joined } = await setUp();
    const socket = await joined(ana);
    socket.send("1", "2", topic, "test:twice", [1]);
    assert.deepEqual(await socket.reply("2"), { status: "ok", response: [1] });
    assert.deepEqual(await socket.reply("2"), { status: "maybe", response: [1] });
  });

  test("X11 the own coming is told before the state that holds it; a second socket is a second meta", async () => {
    const { ana, ben, topic } = await setUp();
    const [first, second] = [await ana.open(), await ana.open()];
    first.send("7", "7", topic, "phx_join", {});
    const [reply, diff, state] = [await first.next(), await first.next(), await first.next()];
    assert.equal(reply[4].status, "ok");
    assert.deepEqual(diff.slice(0, 4), [null, null, topic, "presence_diff"]);
    assert.deepEqual(state.slice(0, 4), ["7", null, topic, "presence_state"]);
    assert.deepEqual(diff[4].joins, state[4]);
    await second.join("1", topic);
    const both = await second.event("presence_state");
    assert.equal(both[ana.id].metas.length, 2);
    await first.event("presence_diff");
    second.close();
    const gone = await first.event("presence_diff");
    const [meta] = gone.leaves[ana.id].metas;
    assert.deepEqual(gone.joins, {});
    assert.equal(meta.phx_ref, both[ana.id].metas[1].phx_ref, "the one that went");
    assert.equal(both[ben.id], undefined);
  });
});
