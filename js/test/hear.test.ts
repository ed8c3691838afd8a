// `message` is told where somebody listens: the core spares the rest, and nobody may notice.
import { expect, onTestFinished, test, vi } from "vitest";
import { chatOf, next, serveInMemory, until } from "./support.js";

/** Ana online, and ben, who is played. */
async function anaAndBen() {
  const backend = await serveInMemory();
  const id = backend.direct("ana", "ben");
  const ana = await chatOf(backend, "ana");
  const live = next(ana, "phase", (phase) => phase === "live");
  await ana.connect();
  await live;
  const shown = (text: string) => until(ana.conversation(id), (one) => one?.lastMessage?.text === text);
  return { ana, ben: backend.user("ben"), id, shown };
}

test("a text message is told to those who listen by then, and crosses for nobody else", async () => {
  const { ana, ben, id, shown } = await anaAndBen();
  const parsed = vi.spyOn(JSON, "parse");
  onTestFinished(() => parsed.mockRestore());
  const crossed = () => {
    const told = parsed.mock.calls.filter(([text]) => text.includes('"type":"message"'));
    parsed.mockClear();
    return told.length;
  };
  ben.send(id, "for nobody");
  await shown("for nobody");
  expect(crossed()).toBe(0);
  const heard: string[] = [];
  const off = ana.on("message", ({ text }) => heard.push(text));
  ben.send(id, "for one");
  await shown("for one");
  expect(crossed()).toBe(1);
  off();
  ben.send(id, "for nobody again");
  await shown("for nobody again");
  expect(crossed()).toBe(0);
  expect(heard).toEqual(["for one"]);
});

test("who begins to listen at an event hears the messages that follow it", async () => {
  const { ana, ben, id, shown } = await anaAndBen();
  const heard: string[] = [];
  ana.once("typing", () => ana.on("message", ({ text }) => heard.push(text)));
  // The first goes at once, the others wait for a batch, which they share.
  ben.send(id, "first");
  ben.typing(id, true);
  ben.send(id, "second");
  await shown("second");
  expect(heard).toEqual(["second"]);
});

test("one after the other, each asked for at the last", async () => {
  const { ana, ben, id, shown } = await anaAndBen();
  const texts = Array.from({ length: 20 }, (_, at) => `message ${at}`);
  const heard: string[] = [];
  const listening = (async () => {
    while (heard.length < texts.length)
      heard.push(
        await new Promise<string>((resolve) => void ana.once("message", ({ text }) => resolve(text))),
      );
  })();
  for (const text of texts) {
    ben.send(id, text);
    await shown(text);
  }
  await listening;
  expect(heard).toEqual(texts);
});
