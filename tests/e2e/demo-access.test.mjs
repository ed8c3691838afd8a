// The demo for everybody: what axe says of each of its pages, at each width, theme and direction; and the keyboard alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { violations } from "./lib/axe.mjs";
import { hostDemo, patience, Visitor } from "./lib/demo.mjs";

let server;
let browser;
hostDemo({ scriptDelayMs: 50 }, (hosted) => {
  ({ server, browser } = hosted);
});

const looks = [
  { theme: "light", dir: "ltr" },
  { theme: "dark", dir: "ltr" },
  { theme: "light", dir: "rtl" },
];
const widths = [390, 768, 1280, 1920];

/** Two messages of a person who has been there. */
async function conversation(name) {
  const ben = await Visitor.arrive(browser, server.origin, "Ben");
  await server.login(name);
  await ben.startChat(name);
  await ben.send("Shall we meet at the station at eight? https://example.com/trains");
  await ben.send("مرحبا، كيف حالك؟");
  await ben.sees("مرحبا", "acknowledged");
  await ben.page.context().close();
}

for (const { theme, dir } of looks) {
  test(`axe finds nothing on any page, and nothing is wider than the screen: ${theme}, ${dir}`, {
    timeout: 240_000,
  }, async () => {
    const name = `Ana ${theme} ${dir}`;
    await conversation(name);
    for (const width of widths) {
      const { page, check } = await looked(theme, dir, width);
      const ana = new Visitor(page);
      await ana.get("login-name").waitFor(patience);
      await check("sign-in");
      await ana.signIn(name);
      await ana.items.filter({ hasText: "Ben" }).waitFor(patience);
      await setPanel(ana, false);
      await check("list");
      await ana.open("Ben");
      await ana.sees("مرحبا");
      await ana.switchOffline();
      await ana.send("Kept for later");
      await ana.sees("Kept for later", "saved");
      await check("conversation");
      await setPanel(ana, true);
      await ana.get("fact-waiting").filter({ hasText: "1" }).waitFor(patience);
      for (const part of await ana.get("try").locator("summary").all()) await part.click();
      await check("panel");
      await ana.switchOffline();
      await ana.page.getByText("1 message waited on this device").waitFor(patience);
      await page.context().close();
    }
  });
}

test("axe finds nothing where other backends are spoken to, and with two people side by side", {
  timeout: 120_000,
}, async () => {
  for (const theme of ["light", "dark"]) {
    const { page, check } = await looked(theme, "ltr", 1280);
    const ana = new Visitor(page);
    await ana.signIn(`Quinn ${theme}`);
    await check("nothing yet");
    await ana.chooseBackend("assistant");
    await ana.send("Put this action into my calendar");
    await ana.sees("May I look into your calendar?");
    await page.locator(".backend summary").click();
    await check("assistant");
    await ana.chooseBackend("companion");
    await check("companions");
    await page.goto(`${server.origin}/?side-by-side=${theme},Zoe`);
    await new Visitor(page.frameLocator("iframe >> nth=0")).isIn("Zoe");
    await check("side-by-side");
    await page.context().close();
  }
});

/** A page that looks so, and what says that nothing on it is wrong. */
async function looked(theme, dir, width) {
  const touch = width === 390 && { hasTouch: true, isMobile: true };
  const viewport = { width, height: width === 390 ? 844 : 900 };
  const context = await browser.newContext({ viewport, colorScheme: theme, ...touch });
  const page = await context.newPage();
  await page.goto(`${server.origin}/${dir === "rtl" ? "?dir=rtl" : ""}`);
  const check = async (state) => {
    assert.deepEqual(await violations(page), [], `${state}, ${theme}, ${dir}, ${width}`);
    const excess = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    assert.ok(excess <= 0, `${state}: ${excess} pixels wider than the screen`);
    await new Visitor(page).picture(`demo-${state.replaceAll(" ", "-")}-${theme}-${dir}-${width}`);
  };
  return { page, check };
}

async function setPanel(visitor, isOpen) {
  const toggle = visitor.get("try-toggle");
  if ((await toggle.getAttribute("aria-expanded")) !== String(isOpen)) await toggle.click();
}

for (const width of [390, 1280]) {
  test(`by the keyboard alone, ${width} wide: sign in, begin, send, answer, back, and the panel`, async () => {
    const [ana, ben] = [`Keya ${width}`, `Keyb ${width}`];
    await server.login(ben);
    const context = await browser.newContext({ viewport: { width, height: 844 } });
    const visitor = new Visitor(await context.newPage());
    const { page } = visitor;
    const press = async (...keys) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    /** Presses the key until the focus is there. */
    const go = async (key, locator) => {
      for (let n = 0; n < 40; n++) {
        await press(key);
        if (await locator.evaluate((element) => element === document.activeElement)) return;
      }
      throw new Error(
        `no ${locator} by ${key}; at ${await page.evaluate(() => document.activeElement.outerHTML)}`,
      );
    };
    const isFocused = (locator) => locator.and(page.locator(":focus")).waitFor(patience);

    await page.goto(server.origin);
    await visitor.get("login-name").waitFor(patience);
    await go("Tab", visitor.get("login-name"));
    await page.keyboard.type(ana);
    await press("Enter");
    await visitor.isState("online");
    if (width === 1280) {
      await isFocused(visitor.get("new-chat-name"));
      await go("Shift+Tab", visitor.get("try-toggle"));
      // It is open from the start where there is room.
      await press("Enter");
      await visitor.get("try").waitFor({ state: "detached", ...patience });
      await isFocused(visitor.get("try-toggle"));
      await go("Tab", visitor.get("new-chat-name"));
    }
    await isFocused(visitor.get("new-chat-name"));
    await page.keyboard.type(ben);
    await press("Enter");
    await isFocused(visitor.composer);
    await page.keyboard.type("by hand");
    await press("Enter");
    await visitor.sees("by hand", "acknowledged");
    await isFocused(visitor.composer);

    await go("Shift+Tab", page.getByRole("button", { name: "Message actions" }));
    await press("Enter");
    await go("Tab", page.getByRole("button", { name: "Reply" }));
    await press("Enter");
    await isFocused(visitor.composer);
    // Escape gives up the answer, and then the conversation.
    await press("Escape");
    await page.getByText("Replying to").waitFor({ state: "detached", ...patience });
    await visitor.isIn(ben);
    await press("Escape");
    const item = visitor.items.filter({ hasText: ben });
    await isFocused(item);
    await press("Enter");
    await isFocused(visitor.composer);
    if (width === 390) {
      await go("Shift+Tab", page.getByRole("button", { name: "Back to the conversations" }));
      await press("Enter");
      await isFocused(item);
    }

    await go("Shift+Tab", visitor.get("try-toggle"));
    await press("Enter");
    await isFocused(page.getByRole("heading", { name: "Try to lose a message" }));
    await go("Tab", visitor.get("try-offline"));
    await press("Enter");
    await visitor.isState("closed");
    await go("Shift+Tab", page.getByRole("button", { name: "Close: things to try" }));
    await press("Enter");
    await isFocused(visitor.get("try-toggle"));
  });
}
