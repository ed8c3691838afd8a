// What docs/guides/testing.md says about timers that are faked, in each runner's words.
import { createTestBackend } from "chatwire/testing";

const runner = typeof vi === "undefined" ? jest : vi;
const options =
  typeof vi !== "undefined"
    ? { shouldAdvanceTime: true }
    : { advanceTimers: true, doNotFake: ["nextTick", "setImmediate", "queueMicrotask"] };

test("a minute without a sign of life passes at once", async () => {
  runner.useFakeTimers(options);
  const backend = await createTestBackend();
  const id = backend.direct("ana", "ben");
  const chat = await backend.connect("ana");
  backend.link.halfOpen();
  const began = Date.now();
  const sent = await chat.send(id, "late");
  await runner.advanceTimersByTimeAsync(60_000);
  expect(Date.now() - began).toBeGreaterThanOrEqual(60_000);
  await expect(chat).toBeAcknowledged(sent);
  expect(backend).toHaveReceivedOnce({ text: "late" });
  await backend.close();
  runner.useRealTimers();
});
