// What the demo gives to be tried: each step does what it says, and says what came of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hostDemo, patience, Visitor } from "./lib/demo.mjs";

let server;
let browser;
hostDemo({ scriptDelayMs: 50 }, (hosted) => {
  ({ server, browser } = hosted);
});

const fact = (visitor, name, value) =>
  visitor.get(`fact-${name}`).getByText(String(value), { exact: true }).waitFor(patience);

/** The step of this title, once it has been done. */
const done = (visitor, title) =>
  visitor.page.locator(".step[data-done=true]").filter({ hasText: title }).waitFor(patience);

/** Somebody with the panel open, in a conversation with Ben's window beside. */
async function inCompany(name) {
  const ana = await Visitor.arrive(browser, server.origin, name);
  const opened = ana.page.waitForEvent("popup");
  await ana.get("company").click();
  const ben = new Visitor(await opened);
  await ben.isState("online");
  await ana.isIn("Ben");
  await ben.isIn(name);
  await done(ana, "Two people");
  return { ana, ben };
}

test("two people by one click, who talk", async () => {
  const { ana, ben } = await inCompany("Abel");
  await ana.send("hello");
  await ben.sees("hello");
  await ben.send("hello yourself");
  await ana.sees("hello yourself");
});

test("offline, with a reload meanwhile: what was queued is counted, and goes out", async () => {
  const { ana, ben } = await inCompany("Berta");
  await fact(ana, "waiting", 0);
  await ana.get("try-offline").click();
  await ana.isState("closed");
  await ana.send("one");
  await ana.send("two");
  await fact(ana, "waiting", 2);
  await fact(ana, "holder", "no tab");

  await ana.get("try-reload").click();
  await ana.page.getByText("2 messages waited before, 2 after.").waitFor(patience);
  await ana.isState("closed");
  await fact(ana, "waiting", 2);
  assert.equal(await ana.page.getByText("waited on this device").count(), 0, "nothing went out yet");
  await ana.get("try-offline").click();
  await ana.page.getByText("2 messages waited on this device and went out, in order.").waitFor(patience);
  await ben.sees("two");
  assert.deepEqual(await ben.texts(), ["one", "two"]);
});

test("a message that is sent at once has not waited", async () => {
  const { ana } = await inCompany("Cora");
  await ana.send("at once");
  await ana.sees("at once", "read");
  await fact(ana, "waiting", 0);
  assert.equal(await ana.page.locator(".step[data-done=true]").count(), 1);
});

test("a second tab: one socket for two, and the other takes over", async () => {
  const { ana } = await inCompany("Dora");
  await fact(ana, "tabs", 1);
  await fact(ana, "holder", "this tab");
  const opened = ana.page.waitForEvent("popup");
  await ana.get("try-tab").click();
  const second = new Visitor(await opened);
  await second.leads(false);
  await fact(second, "holder", "another tab");
  await fact(second, "tabs", 2);
  await ana.page.getByText("2 tabs, one socket: this tab holds it.").waitFor(patience);
  const { user } = await server.login("Dora");
  assert.equal(await server.socketsOf(user.id), 1);
  await ana.page.close();
  await second.leads(true);
  await fact(second, "holder", "this tab");
  await fact(second, "tabs", 1);
  assert.equal(await second.page.getByText("The connection was lost").count(), 0, "it was taken over");
});

test("a server that is killed and started again: the outage is told, and what was sent meanwhile goes out", async () => {
  const { ana, ben } = await inCompany("Egon");
  await server.kill();
  await ana.isState("waiting");
  await ana.send("while it was down");
  await ana.sees("while it was down", "saved");
  await server.start();
  await ana.page.getByText(/The connection was lost, and back after [\d.]+ s\./).waitFor(patience);
  await done(ana, "Restart the server");
  await ben.sees("while it was down");
});

test("without a server a reload shows the page and the conversation, and what waits goes out when it is back", async () => {
  const { ana, ben } = await inCompany("Elsa");
  await ana.send("before");
  await ana.sees("before", "read");
  await ana.page.waitForFunction(async () => (await caches.match("/")) !== undefined);
  await server.kill();
  await ana.send("after");
  await ana.sees("after", "saved");
  await ana.page.reload();
  await ana.sees("before", "read");
  await ana.sees("after", "saved");
  await server.start();
  await ben.sees("after");
  await ana.sees("after", "read");
  ana.assertNoProblems();
});

test("`?faults`: the sockets are cut from the panel itself", async () => {
  const ana = await Visitor.arrive(browser, `${server.origin}/?faults`, "Emil");
  await ana.page.getByText("Under the hood").click();
  await ana.page.getByRole("button", { name: "Cut all sockets" }).click();
  await done(ana, "Restart the server");
});

test("the five backends in a circle, each with its company", async () => {
  const ana = await Visitor.arrive(browser, server.origin, "Fritz");
  for (const profile of ["phoenix", "companion", "channels", "assistant", "team"]) {
    await ana.get("try-backend").click();
    await ana.isState("online");
    assert.equal(await ana.page.evaluate(() => window.chat.profile), profile);
    await fact(ana, "holder", "this tab");
  }
  await done(ana, "Another backend");
  await ana.chooseBackend("companion");
  await ana.get("company").click();
  await ana.isIn("Luna");
  await ana.send("Good evening");
  await ana.sees("You said “Good evening”");
});

test("closed, the panel stays closed; the theme is that which was chosen", async () => {
  const ana = await Visitor.arrive(browser, server.origin, "Gerda");
  const back = () => ana.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await back();
  await ana.get("theme").selectOption("dark");
  assert.notEqual(await back(), light);
  await ana.page.getByRole("button", { name: "Close: things to try" }).click();
  const dark = await back();
  await ana.page.reload();
  await ana.isState("online");
  assert.equal(await ana.get("try").count(), 0);
  assert.equal(await back(), dark);
  assert.equal(await ana.get("theme").inputValue(), "dark");
});
