// A user's test, the same for Vitest and Jest, in Node and in jsdom.
import { createChat } from "chatwire";
import { createTestBackend } from "chatwire/testing";

let backend;
beforeEach(async () => {
  backend = await createTestBackend();
});
afterEach(() => backend.close());

test(`in ${typeof document === "undefined" ? "Node" : "jsdom"}: sent once, though the answer is lost`, async () => {
  const id = backend.direct("ana", "ben");
  const chat = await createChat(backend.optionsFor("ana"));
  await chat.connect();
  const timeline = chat.timeline(id);
  backend.user("ben").send(id, "hello ☀");
  await backend.settled();
  backend.link.loseAnswers();
  backend.link.drop({ to: "client", event: "chat:message_received" });
  const sent = await chat.send(id, "hi");
  await backend.settled();
  backend.link.cut();
  await expect(chat).toBeAcknowledged(sent);
  await backend.settled();
  expect(backend).toHaveReceivedOnce({ text: "hi", senderId: "ana" });
  expect(timeline).toShow(["hello ☀", "hi"]);
  await chat.close();
});

test("offline it is kept, and it goes out when the network is back", async () => {
  const id = backend.direct("ana", "ben");
  const chat = await backend.connect("ana");
  backend.link.offline();
  const sent = await chat.send(id, "later");
  expect(backend).not.toHaveReceived({ text: "later" });
  backend.link.online();
  await expect(chat).toBeAcknowledged(sent);
  expect(chat).toBeConnected();
  expect(backend).toHaveReceivedOnce({ text: "later" });
});
