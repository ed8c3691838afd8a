// A11 in a real browser: a provider on another origin, its redirect to the callback page, and what an evil one may try.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { listen } from "./lib/listen.mjs";
import { Stage } from "./lib/stage.mjs";

let stage;
let provider;
before(async () => {
  stage = await Stage.open({ args: null });
  provider = await serveProvider();
});
afterEach(() => stage.leave());
after(async () => {
  await provider?.close();
  await stage?.close();
});

/** Pages that ask for consent: they wait for a click on `allow`, `deny` or `forge`. */
async function serveProvider() {
  const { origin, close } = await listen(({ url }, response) => {
    const { searchParams } = new URL(url, "http://provider");
    const [state, back] = [searchParams.get("state"), searchParams.get("redirect_uri")];
    // The browser asks for an icon, too.
    if (!back) return response.writeHead(404).end();
    const to = (more) => `location.href = ${JSON.stringify(`${back}?state=${state}${more}`)}`;
    const forged = JSON.stringify({ type: "chatwire:oauth", state, granted: true });
    const buttons = {
      allow: to("&code=secret"),
      deny: to("&error=access_denied"),
      forge: `opener.postMessage(${forged}, "*"); opener.postMessage(${forged}, ${JSON.stringify(new URL(back).origin)})`,
      other: `location.href = ${JSON.stringify(`${back}?state=guessed`)}`,
    };
    const page = Object.entries(buttons)
      .map(([name, run]) => `<button id="${name}" onclick='${run}'>${name}</button>`)
      .join("");
    const coop = searchParams.has("coop") && { "cross-origin-opener-policy": "same-origin" };
    response.writeHead(200, { "content-type": "text/html", ...coop }).end(`<!doctype html>${page}`);
  });
  return { url: `${origin}/authorize`, close };
}

/** The popup that a request opens, and what comes of it. */
async function asked(more = "") {
  const page = await stage.blank();
  const callback = encodeURIComponent(`${stage.page.url}oauth-callback`);
  const opened = page.waitForEvent("popup");
  const result = page.evaluate(async (authUrl) => {
    const { handleOAuthRequest } = await import("/chatwire/dist/index.js");
    const end = (granted) => ({ granted });
    return handleOAuthRequest(authUrl).then(end, ({ code }) => ({ code }));
  }, `${provider.url}?redirect_uri=${callback}${more}`);
  const popup = await opened;
  await popup.waitForLoadState();
  return { page, popup, result };
}

for (const [button, granted] of [
  ["allow", true],
  ["deny", false],
]) {
  test(`a click on ${button} at the provider is ${granted}, and the popup closes itself (A11)`, async () => {
    const { popup, result } = await asked();
    const closed = popup.waitForEvent("close");
    await popup.click(`#${button}`);
    assert.deepEqual(await result, { granted });
    await closed;
  });
}

test("the backend's own state is kept, and comes back (A11)", async () => {
  const { popup, result } = await asked("&state=of-the-backend");
  assert.equal(new URL(popup.url()).searchParams.get("state"), "of-the-backend");
  await popup.click("#allow");
  assert.deepEqual(await result, { granted: true });
});

test("a provider that claims consent itself, and a callback with another state, are not believed (A11)", async () => {
  const { popup, result } = await asked();
  await popup.click("#forge");
  const closed = popup.waitForEvent("close");
  await popup.click("#other");
  await closed;
  assert.deepEqual(await result, { code: "cancelled" });
});

test("a popup that is closed is told as such, also one whose page cuts the tie (A11)", async () => {
  const { popup, result } = await asked();
  await popup.close();
  assert.deepEqual(await result, { code: "cancelled" });
  const cut = await asked("&coop");
  assert.deepEqual(await cut.result, { code: "cancelled" });
});
