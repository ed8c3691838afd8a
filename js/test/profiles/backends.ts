// The profiles and one of an application's own, each at a real server of its framing: where it is, who is there, what it gives by
// WIRES.md, and what its wire has no word for.
import { type ReferenceUser, startReference } from "@chatwire/test-servers/reference";
import { startTeamServer } from "@chatwire/test-servers/team";
import { onTestFinished } from "vitest";
import type { ChatClient, ChatOptions, Guarantees } from "../../src/index.js";
import { plainServer } from "../phoenix-server.js";
import { servePhoenix } from "../phoenix-socket-io-server.js";
import { rooms, serveRooms } from "../rooms-server.js";
import { wasmOf } from "../support.js";

/** Of one test: ana is there, and ben where a wire is for people. */
export type Backend = {
  url: string;
  /** Their ids. */
  ana: string;
  ben: string;
  /** Good tokens, by id. */
  tokenOf(userId: string): string;
  place: string;
  /** What ana has said in it, as it is stored. */
  texts(): Promise<string[]>;
};

/** What a wire may have no word for. */
export type Word = "typing" | "receipts";

export type Column = {
  name: string;
  options: Pick<ChatOptions, "profile" | "framing" | "wasm">;
  serve(): Promise<Backend>;
  /** What it takes to hear of a conversation; left out: it is in the list, or nothing. */
  enter?: (chat: ChatClient, place: string) => Promise<unknown>;
  /** Who else is there: another client, or the server's script, which reads, types and answers what it is told. */
  other: "a client" | "a script";
  promised: Omit<Guarantees, "because" | "order">;
  /** Why not. */
  lacks: Partial<Record<Word, string>>;
};

type Reference = Awaited<ReturnType<typeof startReference>>;
let running: Promise<Reference> | undefined;
let tests = 0;

const reference = () => {
  running ??= startReference(["--script-delay-ms", "1"]);
  return running;
};

/** Ends the reference backend, where one was started. */
export async function stopReference(): Promise<void> {
  const server = await running;
  await server?.close();
  running = undefined;
}

/** Our backend, with two people who have a conversation. `place` and `log` are the scripts' own. */
async function serveOurs(
  urlOf: (server: Reference) => string,
  script?: { place: string; log(user: ReferenceUser): string; id?(user: ReferenceUser): string },
): Promise<Backend> {
  const server = await reference();
  await server.disarm();
  tests += 1;
  const [ana, ben] = await Promise.all(["ana", "ben"].map((name) => server.login(`${name} ${tests}`)));
  if (ana === undefined || ben === undefined) throw new Error("nobody is there");
  const idOf = script?.id ?? (({ id }: ReferenceUser) => id);
  const tokens = new Map([ana, ben].map(({ user, token }) => [idOf(user), token]));
  const place = script?.place ?? (await direct(server.url, ana.token, ben.user.id));
  const logged = script?.log(ana.user) ?? place;
  return {
    url: urlOf(server),
    ana: idOf(ana.user),
    ben: idOf(ben.user),
    tokenOf: (userId) => tokens.get(userId) ?? "",
    place,
    texts: async () =>
      (await server.log(logged)).filter((row) => row.sender_id === ana.user.id).map(({ text }) => text),
  };
}

/** T6 */
async function direct(url: string, token: string, userId: string): Promise<string> {
  const response = await fetch(`${url}/api/conversations/direct`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ user_id: userId }),
  });
  const { conversation } = (await response.json()) as { conversation: { id: string } };
  return conversation.id;
}

const named = (name: string) => `user:${name}`;

async function serveTeamPlain(): Promise<Backend> {
  const server = await startTeamServer({ plain: true });
  onTestFinished(() => server.close());
  const place = await direct(server.url, named("ana"), "ben");
  const texts = async () =>
    server
      .log(place)
      .filter(({ sender_id }) => sender_id === "ana")
      .map(({ content_encrypted }) => Buffer.from(content_encrypted, "base64").toString());
  return { url: server.url, ana: "ana", ben: "ben", tokenOf: named, place, texts };
}

async function servePhoenixPlain(): Promise<Backend> {
  const { url, stored } = await plainServer();
  const texts = async () =>
    stored.filter(({ sender_id }) => sender_id === "ana").map(({ content }) => String(content));
  return { url, ana: "ana", ben: "ben", tokenOf: (userId) => userId, place: "c1", texts };
}

async function servePhoenixOverSocketIo(plain: boolean): Promise<Backend> {
  const { url, rows } = await servePhoenix({ plain });
  const texts = async () => rows.filter(({ sender_id }) => sender_id === "ana").map(({ content }) => content);
  return { url, ana: "ana", ben: "ben", tokenOf: named, place: "c1", texts };
}

async function serveCustom(): Promise<Backend> {
  const { url, rows } = await serveRooms();
  const texts = async () => rows.filter(({ author }) => author === "ana").map(({ body }) => body);
  return { url, ana: "ana", ben: "ben", tokenOf: named, place: "r1", texts };
}

const companionScript = {
  place: "luna",
  log: ({ number }: ReferenceUser) => `companion:${number}:luna`,
  id: ({ number }: ReferenceUser) => String(number),
};
const assistantScript = { place: "assistant", log: ({ id }: ReferenceUser) => `assistant:${id}` };

const people = { other: "a client", lacks: {} } as const;
const socketIo = { wasm: await wasmOf("") };
const [wasmOfPhoenix, wasmOfAssistant, wasmOfPhoenixOverSocketIo] = await Promise.all(
  ["phoenix", "json", "several"].map(wasmOf),
);
const noTyping = { typing: "channels has no event for it" };
const noReceipts = { receipts: "the assistant is told of none, and tells none" };
const full = { delivery: "exactly-once", gaps: "filled", receipts: true } as const;

export const columns: Column[] = [
  {
    name: "team",
    options: { profile: "team", ...socketIo },
    serve: () => serveOurs(({ url }) => url),
    promised: full,
    ...people,
  },
  {
    name: "team, plain",
    options: { profile: "team", ...socketIo },
    serve: serveTeamPlain,
    promised: { delivery: "once-or-unconfirmed", gaps: "shown", receipts: true },
    ...people,
  },
  {
    name: "phoenix",
    options: { profile: "phoenix", wasm: wasmOfPhoenix },
    serve: () => serveOurs(({ phoenix }) => phoenix),
    promised: full,
    ...people,
  },
  {
    name: "phoenix, plain",
    options: { profile: "phoenix", wasm: wasmOfPhoenix },
    serve: servePhoenixPlain,
    // Topics are joined for a window, and an event for one waits for its join (X8).
    enter: (chat, place) => {
      chat.timeline(place);
      const topic = `conversation:${place}`;
      return chat.wire.send("typing", { is_typing: false }, { ack: true, topic });
    },
    promised: { delivery: "once-or-unconfirmed", gaps: "unseen", receipts: true },
    ...people,
  },
  ...[false, true].map(
    (plain): Column => ({
      name: `phoenix over Socket.IO${plain ? ", plain" : ""}`,
      options: { profile: "phoenix", framing: "socket.io", wasm: wasmOfPhoenixOverSocketIo },
      serve: () => servePhoenixOverSocketIo(plain),
      promised: plain ? { delivery: "once-or-unconfirmed", gaps: "unseen", receipts: true } : full,
      ...people,
    }),
  ),
  ...[false, true].map(
    (plain): Column => ({
      name: `companion${plain ? ", plain" : ""}`,
      options: { profile: "companion", ...socketIo },
      serve: () => serveOurs((server) => (plain ? server.plain : server).companion, companionScript),
      other: "a script",
      promised: { delivery: "at-most-once", gaps: "unseen", receipts: true },
      lacks: {},
    }),
  ),
  ...[false, true].map(
    (plain): Column => ({
      name: `channels${plain ? ", plain" : ""}`,
      options: { profile: "channels", ...socketIo },
      serve: () => serveOurs((server) => (plain ? server.plain : server).channels),
      other: "a client",
      promised: { delivery: "exactly-once", gaps: "unseen", receipts: true },
      lacks: noTyping,
    }),
  ),
  ...[false, true].map(
    (plain): Column => ({
      name: `assistant${plain ? ", plain" : ""}`,
      options: { profile: "assistant", wasm: wasmOfAssistant },
      serve: () => serveOurs((server) => (plain ? server.plain : server).assistant, assistantScript),
      other: "a script",
      promised: { delivery: plain ? "at-most-once" : "exactly-once", gaps: "unseen", receipts: false },
      lacks: noReceipts,
    }),
  ),
  {
    name: "custom (defineProfile)",
    options: { profile: rooms, ...socketIo },
    serve: serveCustom,
    other: "a client",
    promised: { delivery: "once-or-unconfirmed", gaps: "unseen", receipts: false },
    lacks: {},
  },
];
