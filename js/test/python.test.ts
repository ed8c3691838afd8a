// The profiles `companion`, `channels` and `team` against python-socketio, whose packets differ in details from the official
// server's: what it sends at a connect comes before the CONNECT reply, and everything is a task of its own.
import { preparePython, startPython } from "@chatwire/test-servers/python";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { ChatClient, Message } from "../src/index.js";
import { chatOf, expectByTime, next, until } from "./support.js";

const luna = "luna";
const room = "general";
const texts = Array.from({ length: 12 }, (_, n) => `message ${n}`);

async function served<W extends "companion" | "channels" | "team">(wire: W, plain: boolean) {
  const server = await startPython(wire, { plain, prefix: "/some/where" });
  onTestFinished(() => server.close());
  return server;
}

async function online(server: { url: string }, profile: "companion" | "channels", userId: string) {
  const chat = await chatOf(server, userId, { profile });
  await chat.connect();
  return chat;
}

async function sendAll(chat: ChatClient, conversationId: string) {
  const sent = [];
  for (const text of texts) sent.push(await chat.send(conversationId, text));
  return sent.map(({ key }) => key ?? "");
}

/** Sends while there is no connection, and then there is one. */
async function sentOffline(chat: ChatClient, conversationId: string) {
  const gone = next(chat, "disconnected");
  chat.disconnect();
  await gone;
  const keys = await sendAll(chat, conversationId);
  await chat.connect();
  await Promise.all(keys.map((key) => chat.acknowledged(key)));
  expect(await chat.outbox()).toEqual([]);
}

describe("python-socketio", () => {
  beforeAll(preparePython, 180_000);

  for (const plain of [false, true]) {
    const kind = plain ? "plain" : "full";

    test(`companion, ${kind}: connect, send, typing, answer, read, photo (C1 to C4, C6, D8)`, async () => {
      const server = await served("companion", plain);
      const chat = await online(server, "companion", "7");
      expect(await server.auths()).toEqual([{ token: "user:7", user_id: 7 }]);
      const timeline = chat.timeline(luna);
      const { key } = await chat.send(luna, "héllo 👋");
      await until(
        timeline,
        ({ messages }) => messages[0]?.id === "1" && messages[0].status === "acknowledged",
      );
      const ours = plain ? {} : { client_id: key };
      expect(await server.log("7", luna)).toMatchObject([
        { id: 1, content: "héllo 👋", sender: "user", ...ours },
      ]);
      await server.reads("7", luna, 1);
      await until(timeline, ({ messages }) => messages[0]?.status === "read");

      const [typing, heard] = [next(chat, "typing"), next(chat, "message")];
      await server.types("7", luna, true);
      expect((await typing)[0]).toEqual({ conversationId: luna, userId: luna, typing: true });
      await server.says("7", luna, "hello");
      const [hers] = await heard;
      expect(hers).toMatchObject({ id: "2", sender: "ai", text: "hello" });
      chat.setTyping(luna, true);
      await chat.markRead(luna, hers.rowKey);
      await expect.poll(async () => (await server.log("7", luna))[1]?.read).toBe(true);
      const photo = new Promise((resolve) => chat.wire.once("photo_generated", resolve));
      await chat.wire.send("request_photo", { user_id: 7, girl_id: luna });
      expect(await photo).toEqual({ girl_id: luna, photo_url: "https://photos.example/luna.png" });
      expect(await server.refused()).toEqual([]);
      expect(chat.guarantees.delivery).toBe("at-most-once");
    });

    test(`companion, ${kind}: what is sent offline, a cut, a refused token (C1, C2)`, async () => {
      const server = await served("companion", plain);
      const chat = await online(server, "companion", "7");
      await sentOffline(chat, luna);
      await expect
        .poll(async () => (await server.log("7", luna)).map(({ content }) => content))
        .toEqual(texts);
      await server.faults.refuseConnect(1);
      const [gone, back] = [next(chat, "disconnected"), next(chat, "connected")];
      await server.faults.dropSockets("7");
      await gone;
      await back;
      expect(await server.auths()).toHaveLength(4);
      const timeline = chat.timeline(luna);
      await until(timeline, ({ messages }) => messages.length === texts.length);
      expect(timeline.getSnapshot().messages.map(({ text }) => text)).toEqual(texts);
    });

    test(`channels, ${kind}: two converge, receipts (H2, H4, H5)`, async () => {
      const server = await served("channels", plain);
      const [ana, ben] = await Promise.all(
        ["ana", "ben"].map((name) => online(server, "channels", name)) as [
          Promise<ChatClient>,
          Promise<ChatClient>,
        ],
      );
      const timelines = [ana.timeline(room), ben.timeline(room)] as const;
      const keys = (await Promise.all([sendAll(ana, room), sendAll(ben, room)])).flat();
      // What is on its way stands below all that the server has told of, whatever its time.
      const waits = plain ? ["saved"] : ["saved", "sent"];
      const settled = ({ messages }: { messages: readonly Message[] }) =>
        messages.length === 24 && messages.every(({ status }) => !waits.includes(status));
      await until(timelines[0], settled);
      const { messages } = await until(timelines[1], settled);
      expect((await server.log(room)).map(({ id }) => id).sort()).toEqual(keys.sort());
      for (const timeline of timelines) expectByTime(timeline.getSnapshot().messages);
      const hers = messages.find(({ senderId }) => senderId === "ana");
      await ben.markRead(room, hers?.rowKey ?? "");
      await until(timelines[0], ({ messages }) =>
        messages.some((m) => m.id === hers?.id && m.status === "read"),
      );
      expect(await server.refused()).toEqual([]);
      expect(ana.guarantees.delivery).toBe("exactly-once");
    });

    test(`channels, ${kind}: what is sent offline, a lost answer, an expired token (H4, H6, H7)`, async () => {
      const server = await served("channels", plain);
      const ana = await online(server, "channels", "ana");
      await sentOffline(ana, room);
      await server.faults.dropAfterStore(1);
      await server.faults.refuseConnect(1, "auth_failed", "jwt expired");
      const { key } = await ana.send(room, "once");
      expect((await ana.acknowledged(key ?? "")).id).toBe(key);
      const heard = (await server.heard("message:send")) as { id: string }[];
      expect(heard.filter(({ id }) => id === key)).toHaveLength(2);
      expect((await server.log(room)).map(({ content }) => content)).toEqual([...texts, "once"]);
      await server.faults.refuseNext(1, "ForbiddenError");
      // A text says nothing of whether it may pass: it is tried again.
      const last = await ana.send(room, "refused once");
      const end = await ana.acknowledged(last.key ?? "").catch(({ code }) => code);
      expect(plain ? (end as Message).status : end).toBe(plain ? "acknowledged" : "forbidden");
    });

    test(`team, ${kind}: send, receive, typing, read, a lost answer (T1 to T5)`, async () => {
      const server = await served("team", plain);
      const [ana, ben] = await Promise.all([chatOf(server, "ana"), chatOf(server, "ben")]);
      await Promise.all([ana.connect(), ben.connect()]);
      const { id } = await ana.createDirect("ben");
      const keys = await sendAll(ana, id);
      // The plain backend does not tell of new conversations: ben finds it with the first message.
      await until(ben.conversation(id), (conversation) => conversation !== null);
      const [mine, his] = [ana.timeline(id), ben.timeline(id)];
      await Promise.all(keys.map((key) => ana.acknowledged(key)));
      const { messages } = await until(his, ({ messages }) => messages.length === texts.length);
      expect(messages.map(({ text }) => text)).toEqual(texts);
      await ben.markRead(id, messages.at(-1)?.rowKey ?? "");
      await until(mine, ({ messages }) => messages.at(-1)?.status === "read");
      const typing = next(ana, "typing");
      ben.setTyping(id, true);
      expect((await typing)[0]).toEqual({ conversationId: id, userId: "ben", typing: true });
      await server.faults.dropAfterStore(1);
      const { key } = await ana.send(id, "once");
      await ana
        .acknowledged(key ?? "")
        .catch((error) => expect(error).toMatchObject({ code: "unconfirmed" }));
      await until(mine, ({ messages }) =>
        messages.some((m) => m.text === "once" && m.status !== "failed" && m.id !== null),
      );
      expect((await server.log(id)).length).toBe(texts.length + 1);
      expect(await server.refused()).toEqual([]);
    });
  }
});
