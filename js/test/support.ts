// What the tests share: the built wasm, the official server, clients that end with their test, and waiting for a
// condition instead of a time.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { startTeamServer, type TeamServer } from "@chatwire/test-servers/team";
import { expect, onTestFinished } from "vitest";
import {
  type ChatClient,
  type ChatEvents,
  type ChatOptions,
  createChat,
  type Message,
  type Readable,
} from "../src/index.js";
import { createTestBackend, type TestBackend } from "../src/testing/index.js";

/** The wasm of a framing: `phoenix`, `json`, `several`; without a name that of Socket.IO. */
export const wasmOf = (framing: string) =>
  readFile(join(import.meta.dirname, "../pkg", framing, "chatwire_bg.wasm"));

export const wasm = await wasmOf("");

export async function serve(): Promise<TeamServer> {
  const server = await startTeamServer();
  onTestFinished(() => server.close());
  return server;
}

/** The same without a network, as applications test with it; its link can be played. */
export async function serveInMemory(): Promise<TestBackend> {
  const backend = await createTestBackend();
  onTestFinished(() => backend.close());
  return backend;
}

export function optionsFor(server: { url: string }, userId: string): ChatOptions {
  return {
    url: server.url,
    profile: "team",
    userId,
    getToken: () => `user:${userId}`,
    storage: "memory",
    reconnect: { baseDelayMs: 20, maxDelayMs: 100 },
    wasm,
  };
}

export async function chatOf(server: { url: string }, userId: string, options: Partial<ChatOptions> = {}) {
  const chat = await createChat({ ...optionsFor(server, userId), ...options });
  onTestFinished(() => chat.close());
  return chat;
}

/** Two people, online, with a direct conversation. */
export async function pair(server: { url: string }) {
  const [ana, ben] = await Promise.all([chatOf(server, "ana"), chatOf(server, "ben")]);
  await Promise.all([ana.connect(), ben.connect()]);
  const { id } = await ana.createDirect("ben");
  await until(ben.conversation(id), (conversation) => conversation !== null);
  return { ana, ben, id };
}

/** Resolves with the snapshot as soon as it is as wanted. */
export function until<T>(source: Readable<T>, isWanted: (snapshot: T) => boolean): Promise<T> {
  return new Promise((resolve) => {
    const stop = source.subscribe(look);
    look();
    function look() {
      const snapshot = source.getSnapshot();
      if (!isWanted(snapshot)) return;
      queueMicrotask(() => stop());
      resolve(snapshot);
    }
  });
}

/** Resolves with the next event that is as wanted. */
export function next<E extends keyof ChatEvents>(
  chat: ChatClient,
  event: E,
  isWanted: (...args: ChatEvents[E]) => boolean = () => true,
): Promise<ChatEvents[E]> {
  return new Promise((resolve) => {
    const off = chat.on(event, (...args) => {
      if (!isWanted(...args)) return;
      off();
      resolve(args);
    });
  });
}

/** In the order of their times: the server's, where it gives no other order; those of one millisecond as they came (D13). */
export function expectByTime(messages: readonly Message[]) {
  const times = messages.map(({ createdAt }) => createdAt);
  expect(times).toEqual([...times].sort());
}
