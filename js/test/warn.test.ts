// What a developer is told: about a backend that gives less than the promises need, and of a client that never comes to be connected.
import { startTeamServer } from "@chatwire/test-servers/team";
import { expect, onTestFinished, test, vi } from "vitest";
import type { ChatOptions } from "../src/index.js";
import { Snapshots } from "../src/snapshots.js";
import { watcher } from "../src/warn.js";
import { chatOf, next } from "./support.js";

/** What is said on the console from now on, in this mode of building. */
function listen(mode: string) {
  const warn = vi
    .spyOn(console, "warn")
    .mockImplementation(() => {})
    .mockClear();
  vi.stubEnv("NODE_ENV", mode);
  onTestFinished(() => {
    warn.mockRestore();
    vi.unstubAllEnvs();
  });
  return () => warn.mock.calls.map(([text]) => String(text));
}

async function warningsOf(server: { plain: boolean }, mode: string, options: Partial<ChatOptions> = {}) {
  const said = listen(mode);
  const { close, url } = await startTeamServer(server);
  onTestFinished(close);
  const chat = await chatOf({ url }, "ana", options);
  const live = next(chat, "phase", (phase) => phase === "live");
  await chat.connect();
  await live;
  return said();
}

/** Attempts at a port where nobody is. */
async function warningsOfAttempts(mode: string, options: Partial<ChatOptions> = {}) {
  const said = listen(mode);
  const token = "a-token-that-nobody-sees";
  const chat = await chatOf({ url: "http://127.0.0.1:1/team" }, "ana", {
    token,
    getToken: undefined,
    ...options,
  });
  const fifth = next(chat, "connection", ({ state, attempt }) => state === "waiting" && attempt >= 5);
  chat.connect().catch(() => {});
  await fifth;
  return said();
}

test("in development, once, what does not hold and why", async () => {
  const [told, ...more] = await warningsOf({ plain: true }, "development");
  expect(told).toContain('profile "team"): delivery once-or-unconfirmed, gaps shown, receipts told.');
  expect(told).toContain("- the server keeps no keys");
  expect(told).not.toContain("user:ana");
  expect(more).toEqual([]);
});

test("nothing where every promise holds, in production, and where the application wants quiet", async () => {
  expect(await warningsOf({ plain: false }, "development")).toEqual([]);
  expect(await warningsOf({ plain: true }, "production")).toEqual([]);
  expect(await warningsOf({ plain: true }, "development", { logLevel: "error" })).toEqual([]);
});

test("a client that never comes to be connected: after three attempts, once, with the reason and what to look at", async () => {
  const [told, ...more] = await warningsOfAttempts("development");
  expect(told).toContain('Not connected after 3 attempts (profile "team"): the socket could not be opened');
  expect(told).toContain("`endpoint`");
  expect(told).not.toContain("a-token-that-nobody-sees");
  expect(more).toEqual([]);
  expect(await warningsOfAttempts("production")).toEqual([]);
  expect(await warningsOfAttempts("development", { logLevel: "error" })).toEqual([]);
});

test("what a backend gives is not known before it was heard, and nothing is warned of; a client that follows leaves it to the one that leads", () => {
  const said = listen("development");
  const known = new Snapshots();
  const look = watcher("team", undefined);
  const weak = { delivery: "once-or-unconfirmed", order: true, gaps: "shown", receipts: true } as const;
  const because = ["the server keeps no keys"];
  known.apply({ type: "guarantees", guarantees: { ...weak, because } });
  look?.(known);
  expect(known.guarantees).toEqual({ ...weak, because: [expect.stringContaining("not known yet")] });
  known.apply({ type: "phase", phase: "live" });
  look?.(known);
  expect(known.guarantees).toEqual({ ...weak, because });
  expect(said()).toEqual([]);
  known.apply({ type: "leader", leader: true });
  look?.(known);
  look?.(known);
  expect(said()).toEqual([expect.stringContaining("- the server keeps no keys")]);
});
