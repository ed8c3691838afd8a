// The backends of `companion` and `channels` in memory, on the official server and on python-socketio, with the official client:
// both say the same, and a client that is wrong by the facts of WIRES.md gets nowhere.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { startChannelsServer } from "./channels.mjs";
import { connected, open } from "./client.mjs";
import { startCompanionServer } from "./companion.mjs";
import { preparePython, startPython } from "./python.mjs";

before(preparePython);

const servers = {
  "socket.io": { companion: startCompanionServer, channels: startChannelsServer },
  "python-socketio": {
    companion: (options) => startPython("companion", options),
    channels: (options) => startPython("channels", options),
  },
};

for (const [name, start] of Object.entries(servers)) {
  describe(name, () => {
    const companion = async (t, options) => {
      const server = await start.companion(options);
      const login = { auth: { token: "user:7", user_id: 7 } };
      t.after(() => server.close());
      const client = await connected(server.url, "", login);
      t.after(() => client.close());
      return { server, client };
    };
    const channels = async (t, options) => {
      const server = await start.channels(options);
      t.after(() => server.close());
      const client = await connected(server.url, "", { auth: { token: "user:ana", userId: "ana" } });
      t.after(() => client.close());
      return { server, client };
    };
    const refusalOf = async (url, auth) => {
      const client = open(url, "", { auth });
      try {
        const { message, data } = await client.next("connect_error");
        return [message, data.code];
      } finally {
        client.close();
      }
    };
    /** Everything before it has been read when its echo is here. */
    const heardAll = async (client) => {
      client.socket.emit("send_message", { user_id: 7, girl_id: "luna", content: "last" });
      await client.next("message_received", ({ message }) => message.content === "last");
    };

    test("companion: a text in the place of a number gets nowhere (C1, C6)", async (t) => {
      const { server, client } = await companion(t);
      const auth = { token: "user:7", user_id: "7" };
      assert.equal((await refusalOf(server.url, auth))[1], "ValidationError");
      assert.equal((await refusalOf(server.url, { ...auth, user_id: 8 }))[1], "AuthError");
      assert.equal((await refusalOf(server.url, { ...auth, token: "expired" }))[1], "AuthError");
      const place = { user_id: 7, girl_id: "luna" };
      for (const [event, payload] of [
        ["send_message", { ...place, user_id: "7", content: "hi" }],
        ["send_message", { ...place, user_id: 8, content: "hi" }],
        ["send_message", { user_id: 7, conversationId: "luna", content: "hi" }],
        ["send_message", { ...place, text: "hi" }],
        ["typing_indicator", { ...place, is_typing: "true" }],
        ["mark_read", { ...place, message_ids: ["1"] }],
        ["request_photo", { ...place, user_id: "7" }],
        ["chat:message_send", place],
      ]) {
        client.socket.emit(event, payload);
      }
      await heardAll(client);
      assert.equal((await server.refused()).length, 8);
      assert.deepEqual(
        (await server.log("7", "luna")).map(({ content }) => content),
        ["last"],
      );
    });

    test("companion: a key is kept and shown, and by the original backend neither (D8)", async (t) => {
      for (const plain of [false, true]) {
        const { server, client } = await companion(t, { plain });
        for (let round = 0; round < 2; round++) {
          client.socket.emit("send_message", { user_id: 7, girl_id: "luna", content: "hi", client_id: "k" });
        }
        await heardAll(client);
        const keys = (await server.log("7", "luna")).map((row) => row.client_id);
        assert.deepEqual(keys, plain ? [undefined, undefined, undefined] : ["k", undefined]);
        assert.equal(
          client.seen.some(({ event }) => event === "chatwire:hello"),
          !plain,
        );
      }
    });

    test("channels: each field of a message is wanted, and an id is one message (H2, H4, H6)", async (t) => {
      for (const plain of [false, true]) {
        const { server, client } = await channels(t, { plain });
        const whole = { id: "k", content: "hi", channelId: "general", userId: "ana" };
        whole.createdAt = "2026-01-01T00:00:00.000Z";
        for (const field of Object.keys(whole)) {
          const { success, error } = await client.ask("message:send", { ...whole, [field]: undefined });
          assert.equal(success, false);
          if (plain) assert.equal(error, "message_failed");
          else assert.deepEqual([error.code, error.field], ["ValidationError", field]);
        }
        assert.equal((await client.ask("message:send", { ...whole, userId: "ben" })).success, false);
        assert.deepEqual(await client.ask("message:send", whole), { success: true, data: whole });
        const again = await client.ask("message:send", whole);
        assert.deepEqual(again, { success: true, data: whole, ...(!plain && { duplicate: true }) });
        assert.equal((await client.ask("message:send", { ...whole, content: "ho" })).success, false);
        assert.deepEqual(await server.log("general"), [{ ...whole, delivered: [], read: [] }]);
        assert.deepEqual(await refusalOf(server.url, { token: "expired", userId: "ana" }), [
          "jwt expired",
          "auth_failed",
        ]);
        const stranger = await refusalOf(server.url, { token: "user:ana", userId: "ben" });
        assert.equal(stranger[1], "connection_error");
      }
    });
  });
}
