import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { optionsFor, wasm } from "./support.js";

// Each test has a page of its own: the module is loaded once a page.
beforeEach(() => vi.resetModules());

type Answer = { status?: number; type?: string; body?: string | Buffer };

/** Serves one answer; `hits` counts how often it was asked for. */
async function host({ status = 200, type, body = "" }: Answer) {
  let hits = 0;
  const server = createServer((_, response) => {
    hits += 1;
    response.writeHead(status, type === undefined ? {} : { "content-type": type }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/chatwire_bg.wasm`,
    hits: () => hits,
  };
}

async function create(source: unknown): Promise<{ close(): Promise<void> }> {
  const { createChat } = await import("../src/index.js");
  const chat = await createChat({
    ...optionsFor({ url: "http://127.0.0.1:9" }, "ana"),
    wasm: source as never,
  });
  onTestFinished(() => chat.close());
  return chat;
}

test("the wasm comes from a URL, streamed where its type allows", async () => {
  const served = await host({ type: "application/wasm", body: wasm });
  await create(new URL(served.url));
});

test("once a page, however many clients there are", async () => {
  const served = await host({ type: "application/wasm", body: wasm });
  await Promise.all([create(served.url), create(served.url)]);
  await create(served.url);
  expect(served.hits()).toBe(1);
});

test("a server without the right type for it is no obstacle", async () => {
  for (const type of ["application/octet-stream", "application/wasm; charset=utf-8"]) {
    vi.resetModules();
    await create((await host({ type, body: wasm })).url);
  }
});

test("bytes and a compiled module are taken as they are", async () => {
  await create(wasm);
  vi.resetModules();
  await create(await WebAssembly.compile(wasm));
});

test("a missing file says where it was looked for and what to do", async () => {
  for (const answer of [
    { status: 404 },
    { type: "text/html", body: "<!doctype html><p>The application</p>" },
  ]) {
    const { url } = await host(answer);
    const error: unknown = await create(url).catch((error: unknown) => error);
    expect(error).toMatchObject({ name: "ChatError", code: "config" });
    expect((error as Error).message).toContain(url);
    expect((error as Error).message).toMatch(/404|text\/html/);
  }
});

test("a failure is not remembered", async () => {
  await expect(create((await host({ status: 503 })).url)).rejects.toMatchObject({
    code: "config",
    retryable: true,
  });
  await create(wasm);
});

test("damaged bytes and things that are no wasm are refused with config", async () => {
  const damaged = Buffer.concat([wasm.subarray(0, 1000)]);
  for (const source of [damaged, 7, {}, "http://"]) {
    await expect(create(source)).rejects.toMatchObject({ name: "ChatError", code: "config" });
    vi.resetModules();
  }
});

// A module with a type, an import `a.zzz` that no glue gives, a memory, and that exported as `chat0000`.
const otherVersion = Buffer.concat([
  Buffer.from(
    "0061736d01000000" + "010401600000" + "0209010161037a7a7a0000" + "0503010001" + "070c0108",
    "hex",
  ),
  Buffer.from("chat0000"),
  Buffer.from([2, 0]),
]);

test("another wasm is refused with what to do, and does not stand in the way of the right one", async () => {
  const empty = wasm.subarray(0, 8);
  const streamed = await host({ type: "application/wasm", body: empty });
  const sources = [empty, streamed.url, await WebAssembly.compile(empty), otherVersion];
  for (const source of sources) {
    await expect(create(source)).rejects.toMatchObject({
      name: "ChatError",
      code: "config",
      message: expect.stringMatching(
        /not the one of this package.*node_modules\/chatwire\/pkg\/chatwire_bg\.wasm/,
      ),
    });
  }
  await create(wasm);
});

test("what cannot be a wasm is refused, also where the page has one already", async () => {
  await create(wasm);
  for (const source of [5, {}, "http://[", null]) {
    await expect(create(source), String(source)).rejects.toMatchObject({ code: "config", message: /^wasm / });
  }
});

test("without a browser, and without bytes, it says where chatwire runs", async () => {
  await expect(create(undefined)).rejects.toMatchObject({
    code: "config",
    message: /runs in browsers.*effect/,
  });
});
