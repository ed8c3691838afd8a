// The demo, as two people use it in two browser profiles; and one of them in two tabs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hostDemo, patience, Visitor } from "./lib/demo.mjs";

let server;
let browser;
hostDemo({ scriptDelayMs: 150 }, (hosted) => {
  ({ server, browser } = hosted);
});

/** Two people with a chat: `a` has opened it, `b` has it in the list. */
async function meet(aName, bName, context) {
  const b = await Visitor.arrive(browser, server.origin, bName, context);
  const a = await Visitor.arrive(browser, server.origin, aName, context);
  await a.startChat(bName);
  await b.items.filter({ hasText: aName }).waitFor(patience);
  return [a, b];
}

test("messages with typing, unread counts, delivered and read ticks", async () => {
  const [ana, ben] = await meet("Ana", "Ben");
  await ana.send("Good morning");
  await ana.sees("Good morning", "delivered");
  assert.equal(await ben.unread.getAttribute("title"), "1 unread");

  await ben.open("Ana");
  await ben.sees("Good morning");
  await ana.sees("Good morning", "read");
  await ben.unread.waitFor({ state: "detached", ...patience });

  await ben.composer.pressSequentially("Good m");
  await ana.page.getByText("Ben is typing…").waitFor(patience);
  await ben.send("Good morning to you");
  await ana.sees("Good morning to you");
  await ana.page.locator(".chatwire-typing[data-typing=false]").waitFor(patience);
  await ben.sees("Good morning to you", "read");
  assert.deepEqual(await ana.texts(), ["Good morning", "Good morning to you"]);
  assert.deepEqual(await ben.texts(), await ana.texts());
  ana.assertNoProblems();
  ben.assertNoProblems();
});

test("offline by the switch: messages wait, then go out in order", async () => {
  const [ana, ben] = await meet("Cleo", "Dan");
  await ben.open("Cleo");
  await ana.send("before");
  await ana.sees("before", "read");
  await ana.switchOffline();
  await ana.isState("closed");
  for (const text of ["one", "two", "three"]) await ana.send(text);
  await ana.sees("three", "saved");
  assert.deepEqual(await ben.texts(), ["before"]);

  await ana.switchOffline();
  await ana.isState("online");
  await ana.sees("three", "read");
  assert.deepEqual(await ana.texts(), ["before", "one", "two", "three"]);
  assert.deepEqual(await ben.texts(), await ana.texts());
});

test("the switch for offline survives a reload, and the bar is not green while the browser is offline", async () => {
  const [ana, ben] = await meet("Vera", "Wim");
  await ben.open("Vera");
  await ana.switchOffline();
  await ana.isState("closed");
  await ana.page.reload();
  await ana.isState("closed");
  assert.equal(await ana.get("offline-switch").getAttribute("aria-checked"), "true");
  await ana.send("after the reload");
  await ana.sees("after the reload", "saved");
  assert.deepEqual(await ben.texts(), []);
  await ana.switchOffline();
  await ben.sees("after the reload");
  await ana.page.reload();
  await ana.isState("online");

  await ana.page.context().setOffline(true);
  await ana.page.getByText("The browser is offline").waitFor(patience);
  assert.equal(await ana.connection.getAttribute("data-state"), "offline");
  ana.assertNoProblems();
});

test("nobody chats with themselves, and a group names the others", async () => {
  const [ana] = await meet("Xenia", "Yann");
  await ana.get("new-chat-name").fill("xenia");
  await ana.get("new-chat-submit").click();
  await ana.page.getByText("That is you.").waitFor(patience);
  await ana.get("new-group-toggle").click();
  await ana.get("new-group-title").fill("Trip");
  await ana.get("new-group-members").fill("Xenia, Yann");
  await ana.get("new-group-submit").click();
  const head = ana.page.locator(".pane-head");
  await head.getByText("Trip", { exact: true }).waitFor(patience);
  assert.equal(await head.locator("p").textContent(), "Yann");
});

test("a reload shows the history from the store, before the network and without it", async () => {
  const [ana] = await meet("Eva", "Finn");
  await ana.send("kept");
  await ana.sees("kept", "delivered");
  // The page itself still loads; everything of the backend is out of reach.
  await ana.page.route("**/team/**", (route) => route.abort());
  await ana.page.routeWebSocket("**/team/**", (socket) => socket.close());
  await ana.page.reload();
  await ana.sees("kept", "delivered");
  await ana.send("written without a network");
  await ana.sees("written without a network", "saved");
});

test("a second tab is online through the first, sends through it, and takes over when that closes", async () => {
  const [ana, ben] = await meet("Gwen", "Hugo");
  await ben.open("Gwen");
  const second = new Visitor(await ana.page.context().newPage());
  await second.page.goto(server.origin);
  await second.get("login-name").fill("Gwen");
  await second.get("login-submit").click();
  await second.leads(false);
  const snapshot = await second.page.evaluate(() => window.chat.connection);
  assert.deepEqual([snapshot.state, snapshot.leader], ["online", false]);

  await second.open("Hugo");
  await second.send("from the second tab");
  await ben.sees("from the second tab");
  const sockets = await (await fetch(`${server.origin}/test/sockets`)).json();
  const gwen = Object.values(sockets.sockets).find(({ name }) => name === "Gwen");
  assert.equal(gwen.max_live, 1, "two tabs, one socket");

  await ana.page.close();
  await second.leads(true);
  await second.send("after the take-over");
  await ben.sees("after the take-over");
  assert.deepEqual(await ben.texts(), ["from the second tab", "after the take-over"]);
});

test("a tab that is disconnected leaves the connection to the other one, and waits behind it when it is back", async () => {
  const [ana, ben] = await meet("Tina", "Uwe");
  await ben.open("Tina");
  const second = new Visitor(await ana.page.context().newPage());
  await second.page.goto(server.origin);
  await second.get("login-name").fill("Tina");
  await second.get("login-submit").click();
  await second.leads(false);
  await ana.switchOffline();
  await second.leads(true);
  await ana.isState("closed");
  await ana.send("stored in one tab, sent by the other");
  await ben.sees("stored in one tab");
  await ana.sees("stored in one tab", "read");
  await ana.switchOffline();
  await ana.leads(false);
  await second.switchOffline();
  await ana.leads(true);
  // The lock is free again before it is asked for again.
  const again = await ana.page.evaluate(async () => {
    window.chat.disconnect();
    await window.chat.connect();
    return window.chat.connection;
  });
  assert.equal(again.state, "online");
});

test("what is typed and not sent stays with its conversation, and goes with the session", async () => {
  const [ana, ben] = await meet("Olga", "Paul");
  const cleo = await Visitor.arrive(browser, server.origin, "Quin");
  await ana.startChat("Quin");
  await ana.composer.fill("half a thought for Quin");
  await ana.open("Paul");
  assert.equal(await ana.composer.inputValue(), "");
  await ana.composer.fill("and one for Paul");
  await ana.open("Quin");
  assert.equal(await ana.composer.inputValue(), "half a thought for Quin");
  await ana.sendButton.click();
  await ana.sees("half a thought for Quin", "delivered");
  assert.equal(await ana.composer.inputValue(), "");
  await cleo.unread.waitFor(patience);
  await ana.open("Paul");
  assert.equal(await ana.composer.inputValue(), "and one for Paul");

  await ana.page.getByRole("button", { name: "Sign out" }).click();
  await ana.get("login-name").waitFor(patience);
  assert.equal(new URL(ana.page.url()).hash, "", "the next one does not meet this one's conversation");
  await ana.signIn("Olga");
  await ana.open("Paul");
  assert.equal(await ana.composer.inputValue(), "");
  ana.assertNoProblems();
  ben.assertNoProblems();
});

test("the list stays at its end when the window shrinks, and at what is read when it does not stand there", async () => {
  const [ana, ben] = await meet("Rita", "Sven", { viewport: { width: 1280, height: 800 } });
  for (let n = 1; n <= 40; n++) await ana.send(`line ${n}.`);
  await ana.sees("line 40.", "delivered");
  await ben.open("Rita");
  await ben.sees("line 40.");
  const list = ana.page.locator(".chatwire-scroller");
  const toEnd = () => list.evaluate((l) => Math.round(l.scrollHeight - l.scrollTop - l.clientHeight));
  assert.ok((await toEnd()) <= 1);
  await ana.page.setViewportSize({ width: 1280, height: 420 });
  await ana.page.waitForFunction(() => {
    const list = document.querySelector(".chatwire-scroller");
    return list.clientHeight < 400 && list.scrollHeight - list.scrollTop - list.clientHeight <= 1;
  });
  await list.evaluate((l) => {
    l.scrollTop = 100;
  });
  await ana.page.waitForFunction(() => document.querySelector(".chatwire-scroller").scrollTop === 100);
  await ana.page.setViewportSize({ width: 1280, height: 360 });
  await ana.page.waitForFunction(() => document.querySelector(".chatwire-scroller").clientHeight < 300);
  assert.equal(await list.evaluate((l) => l.scrollTop), 100);
});

test("what somebody writes is text, whatever it looks like", async () => {
  const [ana, ben] = await meet("Iris", "Jon");
  await ben.open("Iris");
  const hostile = '<img src=x onerror="window.hacked=1"> javascript:alert(1) https://example.com/a.';
  await ana.send(hostile);
  await ben.sees("onerror");
  assert.deepEqual(await ben.texts(), [hostile]);
  const links = await ben
    .message("onerror")
    .locator("a")
    .evaluateAll((all) => all.map((a) => a.href));
  assert.deepEqual(links, ["https://example.com/a"]);
  assert.equal(await ben.page.evaluate(() => window.hacked), undefined);
});

test("two people side by side in one window", async () => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(`${server.origin}/?side-by-side=Kim,Lea`);
  const [kim, lea] = ["Kim", "Lea"].map(
    (name) => new Visitor(page.frameLocator(`[title="The chat of ${name}"]`)),
  );
  for (const person of [kim, lea]) await person.isState("online");
  // Their conversation is open from the start.
  await kim.isIn("Lea");
  await lea.isIn("Kim");
  await kim.send("Hello over there");
  await kim.sees("Hello over there", "read");
  await lea.send("Hello yourself");
  await kim.sees("Hello yourself");
  await new Visitor(page).picture("side-by-side-1280");
});

test("the five backends: chosen in turn, and each says what may be promised", async () => {
  const [ana, ben] = await meet("Pia", "Rolf");
  await ben.open("Pia");
  await ana.send("over the team's wire");
  await ben.sees("over the team's wire");
  assert.match(await ana.get("guarantees").textContent(), /^Exactly once, in order, gaps filled, receipts$/);

  for (const person of [ana, ben]) await person.chooseBackend("phoenix");
  await ana.open("Rolf");
  await ben.open("Pia");
  await ana.sees("over the team's wire");
  await ben.send("and over Phoenix");
  await ana.sees("and over Phoenix");
  await ben.sees("and over Phoenix", "read");

  for (const person of [ana, ben]) {
    await person.chooseBackend("channels");
    assert.equal(await person.get("new-chat-name").count(), 0, "a channel begins with its first message");
    await person.openId("#tea");
    await person.isIn("#tea");
  }
  await ana.send("Tea?");
  await ana.sees("Tea?", "acknowledged");
  await ben.send("Coffee!");
  await ana.sees("Coffee!");
  await ana.send("Or that");
  await ben.sees("Or that");
  await ben.page.locator(".chatwire-name").filter({ hasText: "Pia" }).waitFor(patience);

  await ana.chooseBackend("companion");
  await ana.open("Luna");
  await ana.send("Good evening");
  await ana.sees("You said “Good evening”");
  await ana.get("photo-request").click();
  await ana.page.locator(".chatwire-bubble img").waitFor(patience);
  assert.match(await ana.get("guarantees").textContent(), /gaps unseen/);
  await ana.page.reload();
  await ana.isState("online");
  await ana.sees("You said “Good evening”");
  ana.assertNoProblems();
  ben.assertNoProblems();
});

test("an assistant: its only conversation, what its answers bring, and consent in a window of its own", async () => {
  const ana = await Visitor.arrive(browser, server.origin, "Quentin");
  await ana.chooseBackend("assistant");
  await ana.isIn("Assistant");
  assert.equal(await ana.items.count(), 1);
  await ana.send("Put this action into my calendar");
  await ana.sees("May I look into your calendar?");
  const details = (text) => ana.message(text).getByTestId("message-details").innerText();
  assert.match(await details("can name a source"), /The reference backend of chatwire[\s\S]*75 %/);
  assert.match(await details("Shall I remind you?"), /Remind me tomorrow/);

  const opened = ana.page.waitForEvent("popup");
  await ana.get("consent").click();
  const popup = await opened;
  const closed = popup.waitForEvent("close");
  await popup.getByRole("button", { name: "Allow" }).click();
  await closed;
  await ana.page.getByText("You have agreed.").waitFor(patience);
  await ana.sees("your calendar is connected");
  await ana.composer.fill("x".repeat(501));
  assert.ok(await ana.sendButton.isDisabled(), "500 characters are the most here");
  ana.assertNoProblems();
});

test("pictures of the other backends", async () => {
  const ana = await Visitor.arrive(browser, server.origin, "Ursula", {
    viewport: { width: 1200, height: 800 },
  });
  const both = async (name) => {
    await ana.picture(`${name}-1200`);
    await ana.page.setViewportSize({ width: 390, height: 844 });
    await assertFits(ana);
    await ana.picture(`${name}-390`);
    await ana.page.setViewportSize({ width: 1200, height: 800 });
  };
  await ana.chooseBackend("assistant");
  await ana.send("What does my calendar say of tomorrow?");
  await ana.sees("May I look into your calendar?");
  await both("assistant");
  await ana.chooseBackend("companion");
  await both("companions");
  await ana.open("Emma");
  await ana.send("Good morning");
  await ana.sees("You said");
  await ana.get("photo-request").click();
  await ana.page.locator(".chatwire-bubble img").waitFor(patience);
  await both("companion");
  await ana.chooseBackend("channels");
  await both("channels");
});

test("pictures of every screen, wide, narrow and dark; nothing is wider than the screen", async () => {
  const [ana, ben] = await meet("Mia", "Noah", { viewport: { width: 1280, height: 800 } });
  await ben.open("Mia");
  await ana.send("Shall we meet at the station at eight? https://example.com/trains");
  await ben.sees("Shall we meet");
  await ben.send("Eight is fine. I will bring the tickets and something to eat for the way.");
  await ana.sees("Eight is fine");
  await ana.send("Perfect");
  await ana.sees("Perfect", "read");
  await ana.picture("chat-1280");
  await ana.page.setViewportSize({ width: 390, height: 844 });
  await assertFits(ana);
  await ana.picture("chat-390");
  await ana.page.setViewportSize({ width: 1280, height: 800 });

  await ana.switchOffline();
  await ana.send("Written in a tunnel");
  await ana.sees("Written in a tunnel", "saved");
  await ana.picture("offline-1280");
  await ana.page.setViewportSize({ width: 390, height: 844 });
  await assertFits(ana);
  const state = ana.connection.locator("p").first();
  assert.ok(await state.evaluate((p) => p.scrollWidth <= p.clientWidth), "the state is not cut");
  await ana.picture("offline-390");
  await ana.page.setViewportSize({ width: 1280, height: 800 });

  await ben.page.emulateMedia({ colorScheme: "dark" });
  await ben.composer.fill("An answer being written");
  await ben.picture("dark-1280");

  const guest = new Visitor(await browser.newPage({ viewport: { width: 390, height: 844 } }));
  await guest.page.goto(server.origin);
  await guest.get("login-name").waitFor(patience);
  await assertFits(guest);
  await guest.picture("sign-in-390");
  await guest.page.setViewportSize({ width: 1280, height: 800 });
  await guest.picture("sign-in-1280");
});

async function assertFits({ page }) {
  const excess = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.ok(excess <= 0, `${excess} pixels wider than the screen`);
}
