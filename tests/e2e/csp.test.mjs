// Under a strict Content-Security-Policy: no inline script, no eval but that of WebAssembly, nothing from elsewhere but the
// backend.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, swift } from "./lib/client.mjs";
import { openHarness, Stage } from "./lib/stage.mjs";
import { servePage } from "./lib/static.mjs";

let stage;
before(async () => {
  stage = await Stage.open();
});
after(() => stage?.close());

/** A test page served with this as its `script-src`; `prepare` as in `Stage`. */
async function pageUnder(t, scriptSrc, prepare) {
  const backend = `${stage.server.origin} ${stage.server.origin.replace("http", "ws")}`;
  const policy = `default-src 'none'; img-src data:; script-src ${scriptSrc}; connect-src 'self' ${backend}`;
  const served = await servePage({ headers: { "content-security-policy": policy } });
  t.after(() => served.close());
  const page = await (await stage.profile()).newPage();
  await page.addInitScript(() => {
    globalThis.violations = [];
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
      globalThis.violations.push(`${violatedDirective} ${blockedURI}`),
    );
  });
  await prepare?.(page);
  await openHarness(page, served.url);
  return page;
}

async function says(page, name) {
  const ana = await Client.on(page, swift(stage.server.url, await stage.loginOf(name)));
  await ana.connect();
  const { id } = await ana.call("createDirect", await stage.idOf("ben"));
  const { key } = await ana.send(id, "under a policy");
  assert.equal((await ana.call("acknowledged", key)).status, "acknowledged");
}

const violationsOn = (page) => page.evaluate(() => globalThis.violations);

test("script-src 'self' 'wasm-unsafe-eval' is enough to send a message that is acknowledged", async (t) => {
  const page = await pageUnder(t, "'self' 'wasm-unsafe-eval'");
  await says(page, "ana");
  assert.deepEqual(await violationsOn(page), []);
});

test("it is enough for the chunk with the wasm, too, where the file is not there", async (t) => {
  let asked = 0;
  const page = await pageUnder(t, "'self' 'wasm-unsafe-eval'", (page) =>
    page.route("**/*.wasm", (route) => {
      asked += 1;
      return route.fulfill({ status: 404, body: "" });
    }),
  );
  await says(page, "cleo");
  assert.equal(asked, 1);
  assert.deepEqual(await violationsOn(page), []);
});

test("without 'wasm-unsafe-eval' the error says what the browser forbids", async (t) => {
  const page = await pageUnder(t, "'self'");
  const opening = Client.on(page, swift(stage.server.url, await stage.loginOf("dora")));
  await assert.rejects(opening, { code: "config", message: /unsafe-eval/ });
  assert.notDeepEqual(await violationsOn(page), []);
});
