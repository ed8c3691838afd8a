import { expect, onTestFinished, test, vi } from "vitest";
import { ChatClient } from "../src/client.js";
import type { CoreConstructor } from "../src/core.js";

/** A client over a core that is played: `deliver` is what it tells, `heard` what it was told of listeners. */
function played() {
  let onBatch = (_: string) => {};
  let calls = 0;
  const heard: boolean[] = [];
  class Core {
    constructor(_: unknown, hooks: { onBatch: (json: string) => void }) {
      onBatch = hooks.onBatch;
    }
    command() {
      return ++calls;
    }
    hear(messages: boolean) {
      heard.push(messages);
    }
  }
  const chat = new ChatClient(Core as unknown as CoreConstructor, { plain: { userId: "ana" } } as never);
  return { chat, heard, deliver: (events: unknown[]) => onBatch(JSON.stringify(events)) };
}

test("an event that cannot be read takes nothing else along", () => {
  const reported = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => reported.mockRestore());
  vi.stubGlobal("reportError", undefined);
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
  const { chat, deliver } = played();
  const batch = [
    { type: "presence", userId: "bo", online: true },
    { type: "presence", userId: "cy", online: true, lastSeenMs: null },
    { type: "done", id: 1, outcome: { messages: [] } },
  ];
  deliver(batch);
  expect(reported).toHaveBeenCalled();
  expect(chat.presence("cy")?.online).toBe(true);
});

test("a call that ends in the task of the start does not overtake what is told", async () => {
  const { chat, deliver } = played();
  const restored = chat.restored();
  deliver([{ type: "done", id: 1, outcome: { kind: "messages", value: [] } }]);
  await restored;
  const order: string[] = [];
  chat.on("presence", () => order.push("told"));
  const connected = chat.connect().then(() => order.push("resolved"));
  const batch = [
    { type: "presence", userId: "cy", online: true, lastSeenMs: null },
    { type: "done", id: 2, outcome: { kind: "nothing" } },
  ];
  deliver(batch);
  await connected;
  expect(order).toEqual(["told", "resolved"]);
});

test("the core tells of messages while somebody listens to them, and until anybody can", async () => {
  const { chat, deliver, heard } = played();
  const restored = chat.restored();
  deliver([{ type: "done", id: 1, outcome: { kind: "messages", value: [] } }]);
  chat.on("phase", () => {})();
  expect(heard).toEqual([]);
  await restored;
  await vi.waitFor(() => expect(heard).toEqual([false]));
  const off = chat.on("message", () => {});
  chat.once("message", () => {});
  off();
  expect(heard.splice(0)).toEqual([false, true, true, true]);
  chat.removeAllListeners();
  expect(heard).toEqual([false]);
});
