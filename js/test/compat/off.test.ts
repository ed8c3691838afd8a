// `off` of the facades, as their readers know it from Socket.IO and Phoenix: without a listener it takes off all of the event.
import { expect, test } from "vitest";
import { ChatService, CompanionSocketClient, SocketService } from "../../src/compat/index.js";
import { FakeChat } from "../fake.js";

test("off(event) takes off every listener of that event, and of no other", async () => {
  const told: string[] = [];
  const hear = (name: string) => () => void told.push(name);
  const [companion, assistant, phoenix] = ["companion", "assistant", "phoenix"].map((p) => new FakeChat(p));
  if (!companion || !assistant || !phoenix) throw new Error("three fakes");
  const socket = new CompanionSocketClient({ client: companion.client });
  const service = new ChatService({ client: assistant.client });
  const channel = new SocketService({ client: phoenix.client }).channel("news:1");
  await Promise.all([phoenix.connect(), channel.joined]);
  for (const name of ["one", "two"]) {
    for (const event of ["connected", "mood", "disconnected"]) socket.on(event, hear(`${event} ${name}`));
    service.on("connected", hear(`service ${name}`));
    service.on("disconnected", hear(`service gone ${name}`));
    for (const event of ["headline", "photo"]) channel.on(event, hear(`${event} ${name}`));
  }
  for (const event of ["connected", "mood"]) socket.off(event);
  service.off("connected");
  channel.off("headline");
  for (const facade of [socket, service]) {
    await facade.connect();
    facade.disconnect();
  }
  companion.tellWire("mood", {});
  for (const event of ["headline", "photo"]) phoenix.tellWireOn("news:1", event, {});
  const gone = ["disconnected one", "disconnected two", "service gone one", "service gone two"];
  expect(told).toEqual([...gone, "photo one", "photo two"]);
  // By mistake: nothing is taken off.
  expect(() => socket.off(undefined as never)).toThrow("event must be");
});
