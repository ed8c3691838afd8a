// The demo in a second engine: a smoke run in the Firefox of this machine.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startReference } from "@chatwire/test-servers/reference";
import { dist } from "./lib/demo.mjs";
import { Firefox } from "./lib/firefox.mjs";
import { until } from "./lib/until.mjs";

let server;
let browser;
before(async () => {
  server = await startReference(["--static", dist]);
  browser = await Firefox.launch();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

const composer = ".chatwire-composer textarea";
const message = (status) => `.chatwire-message[data-status="${status}"]`;
const isState = (page, state) => page.sees(`.chatwire-connection[data-state="${state}"]`);
const texts = (page) =>
  page.evaluate(() => [...document.querySelectorAll(".chatwire-text")].map(({ textContent }) => textContent));

async function arrive(name, beside) {
  const page = await (beside?.beside(server.origin) ?? browser.open(server.origin));
  await page.enter("[data-testid=login-name]", name);
  await isState(page, "online");
  return page;
}

test("Firefox: two people, a reload, and what was queued while offline", { timeout: 120_000 }, async () => {
  const [ben, ana] = [await arrive("Ben"), await arrive("Ana")];
  assert.match(await ana.evaluate(() => navigator.userAgent), /Firefox\//);
  await ana.enter("[data-testid=new-chat-name]", "Ben");
  await ana.enter(composer, "hello from Firefox");
  await ana.sees(message("delivered"), "hello from Firefox");
  await ben.click(".chatwire-conversation");
  await ben.sees(".chatwire-text", "hello from Firefox");
  await ana.sees(message("read"), "hello from Firefox");

  // Disconnected before and after the reload: what is shown is what was stored.
  await ana.click("[data-testid=offline-switch]");
  await isState(ana, "closed");
  await ana.enter(composer, "queued");
  await ana.sees(message("saved"), "queued");
  await ana.reload();
  await isState(ana, "closed");
  await ana.sees(message("read"), "hello from Firefox");
  await ana.sees(message("saved"), "queued");
  assert.equal(await ana.evaluate(() => window.chat.diagnostics().persistent), true);
  assert.deepEqual(await texts(ben), ["hello from Firefox"]);

  await ana.click("[data-testid=offline-switch]");
  await ana.sees(message("read"), "queued");
  await ben.sees(".chatwire-text", "queued");
  assert.deepEqual(await texts(ben), ["hello from Firefox", "queued"]);
  assert.deepEqual(await texts(ana), await texts(ben));
});

test("Firefox: two tabs of one user have one socket, and the other one takes over", {
  timeout: 120_000,
}, async () => {
  const leads = (page, leads) => page.sees(`.chatwire-connection[data-state=online][data-leader="${leads}"]`);
  const [dan, cleo] = [await arrive("Dan"), await arrive("Cleo")];
  await leads(cleo, true);
  const second = await arrive("Cleo", cleo);
  await leads(second, false);
  await second.enter("[data-testid=new-chat-name]", "Dan");
  await second.enter(composer, "by the other tab's socket");
  await second.sees(message("delivered"), "by the other tab's socket");
  const { user } = await server.login("Cleo");
  assert.equal(await server.socketsOf(user.id), 1);
  await cleo.close();
  await leads(second, true);
  await second.enter(composer, "by its own");
  await second.sees(message("delivered"), "by its own");
  await dan.click(".chatwire-conversation");
  await dan.sees(".chatwire-text", "by its own");
  assert.deepEqual(await texts(dan), ["by the other tab's socket", "by its own"]);
});

test("Firefox: a reload without a server shows what was said, and what waits goes out later", {
  timeout: 120_000,
}, async () => {
  const [fay, gus] = [await arrive("Fay"), await arrive("Gus")];
  await gus.enter("[data-testid=new-chat-name]", "Fay");
  await gus.enter(composer, "before");
  await gus.sees(message("delivered"), "before");
  await until("the page is kept", () => gus.evaluate(async () => (await caches.match("/")) !== undefined));
  await server.kill();
  await gus.enter(composer, "after");
  await gus.sees(message("saved"), "after");
  await gus.reload();
  await gus.sees(message("delivered"), "before");
  await gus.sees(message("saved"), "after");
  await server.start();
  await gus.sees(message("delivered"), "after");
  await fay.click(".chatwire-conversation");
  await fay.sees(".chatwire-text", "after");
});
