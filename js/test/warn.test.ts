// What a developer is told about a backend that gives less than the promises need.
import { startTeamServer } from "@chatwire/test-servers/team";
import { expect, onTestFinished, test, vi } from "vitest";
import type { ChatOptions } from "../src/index.js";
import { chatOf, next } from "./support.js";

async function warningsOf(server: { plain: boolean }, mode: string, options: Partial<ChatOptions> = {}) {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.stubEnv("NODE_ENV", mode);
  onTestFinished(() => {
    warn.mockRestore();
    vi.unstubAllEnvs();
  });
  const { close, url } = await startTeamServer(server);
  onTestFinished(close);
  const chat = await chatOf({ url }, "ana", options);
  const live = next(chat, "phase", (phase) => phase === "live");
  await chat.connect();
  await live;
  return warn.mock.calls.map(([text]) => String(text));
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
