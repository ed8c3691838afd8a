// The components that docs/guides writes, as they stand there, in a browser: what waits, what is taken back, what is kept.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startReference } from "@chatwire/test-servers/reference";
import { serveBundled } from "./components/serve.mjs";
import { launch } from "./lib/browser.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const patience = { timeout: 15_000 };

/** `recipe:PAGE:NAME` is the block of a guide that exports this component. */
const recipes = {
  name: "recipes",
  setup(build) {
    build.onResolve({ filter: /^recipe:/ }, ({ path }) => ({ path, namespace: "recipe" }));
    build.onLoad({ filter: /.*/, namespace: "recipe" }, async ({ path }) => {
      const [, page, name] = path.split(":");
      const text = await readFile(here(`../../docs/guides/${page}`), "utf8");
      const blocks = [...text.matchAll(/^```tsx\n(.*?)^```$/gms)].map(([, code]) => code);
      const contents = blocks.find((code) => code.includes(`export function ${name}(`));
      return { contents, loader: "tsx", resolveDir: here(".") };
    });
  },
};

let server;
let served;
let browser;
before(async () => {
  server = await startReference();
  served = await serveBundled(here("recipes/page.jsx"), server.origin, [recipes]);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await served?.close();
  await server?.close();
});

test("docs/guides/offline.md: what waits is listed and can be taken back, a draft is kept", async () => {
  const [ana, ben] = [await server.login("recipe ana"), await server.login("recipe ben")];
  const context = await browser.newContext();
  const page = await context.newPage();
  const whose = { url: server.url, userId: ana.user.id, token: ana.token, other: ben.user.id };
  await page.goto(`${served.origin}/?${new URLSearchParams(whose)}`);
  const write = (text) => page.getByRole("textbox").fill(text, patience);
  const send = () => page.getByRole("button", { name: "Send", exact: true }).click(patience);
  const row = (text) => page.getByRole("listitem").filter({ hasText: text });
  const online = (state) => page.getByRole("status").filter({ hasText: state }).waitFor(patience);
  await online("online");
  await write("said online");
  await send();
  await row("said online").waitFor({ ...patience, state: "detached" });

  await server.kill();
  for (const text of ["taken back", "kept"]) {
    await write(text);
    await send();
    await row(`${text} · saved`).waitFor(patience);
  }
  await row("taken back").getByRole("button", { name: "Take back" }).click(patience);
  await row("taken back").waitFor({ ...patience, state: "detached" });
  await write("begun");
  await page.waitForFunction(() => globalThis.chat.conversations().getSnapshot()[0].draft === "begun");

  // What there is now comes from the store alone.
  await page.reload();
  await row("kept · saved").waitFor(patience);
  assert.equal(await page.getByRole("textbox").inputValue(), "begun");
  assert.equal(await row("taken back").count(), 0);
  await server.start();
  await row("kept").waitFor({ ...patience, state: "detached" });
  const id = await page.evaluate(() => globalThis.chat.conversations().getSnapshot()[0].id);
  const texts = (await server.log(id)).map(({ text }) => text);
  assert.deepEqual(texts, ["said online", "kept"]);
  await context.close();
});
