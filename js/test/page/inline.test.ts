// Where no file can be fetched (jsdom, a page of file:, a bundler that leaves it behind), the wasm comes from its chunk.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { ChatOptions } from "../../src/index.js";

beforeEach(() => vi.resetModules());

const framings: Partial<ChatOptions>[] = [
  { profile: "team" },
  { profile: "phoenix" },
  { profile: "assistant" },
  { profile: "phoenix", framing: "socket.io" },
];

/** What the package's own address is asked for. */
function watchFetch(answer: () => Promise<Response>) {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (url: URL) => {
    asked.push(String(url));
    return answer();
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  return asked;
}

async function create(options: Partial<ChatOptions>, entry: string) {
  const { createChat } = (await import(entry)) as typeof import("../../src/index.js");
  const common = { url: "http://127.0.0.1:9", userId: "ana", token: "t", storage: "memory" } as const;
  const chat = await createChat({ ...common, ...options } as ChatOptions);
  onTestFinished(() => chat.close());
  return chat;
}

test.each(framings)(
  "without an address that works the wasm of $profile is had all the same",
  async (options) => {
    const answers = [
      () => Promise.reject(new TypeError("Failed to fetch")),
      async () => new Response("", { status: 404 }),
      // Expo's and Vite's servers answer so for what is not there.
      async () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } }),
    ];
    for (const answer of answers) {
      vi.resetModules();
      const asked = watchFetch(answer);
      const chat = await create(options, "../../src/index.js");
      expect(chat.profile).toBe(options.profile);
      expect(asked).toEqual([expect.stringMatching(/pkg\/(?:[a-z-]+\/)?chatwire_bg\.wasm$/)]);
    }
  },
);

test.each(framings)("the code for Metro asks for no address at all: $profile", async (options) => {
  const asked = watchFetch(() => Promise.reject(new Error("nothing is fetched")));
  await create(options, "../../dist-inline/index.js");
  expect(asked).toEqual([]);
});

test("nor is there an import.meta in what Metro reads, and nowhere else than in one file", () => {
  const withMeta = (folder: string) =>
    readdirSync(join(import.meta.dirname, "../..", folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".js"))
      .filter((name) =>
        readFileSync(join(import.meta.dirname, "../..", folder, name), "utf8").includes("import.meta"),
      );
  expect(withMeta("dist-inline")).toEqual([]);
  expect(withMeta("pkg")).toEqual([]);
  expect(withMeta("dist")).toEqual(["address.js"]);
});

test("an address that the application gave is not passed over in silence", async () => {
  watchFetch(async () => new Response("", { status: 404 }));
  await expect(create({ wasm: "/elsewhere.wasm" }, "../../src/index.js")).rejects.toMatchObject({
    code: "config",
    message: expect.stringContaining("/elsewhere.wasm"),
  });
});
