// A store in jsdom, whose window is no EventTarget of its own realm; in Jest its bytes are of another realm, too.
import "fake-indexeddb/auto";
import { expect, onTestFinished, test } from "vitest";
import { createTestBackend } from "../../src/testing/index.js";
import "../../src/testing/vitest.js";

test("what was queued is there after a restart, and goes out once", async () => {
  const backend = await createTestBackend();
  onTestFinished(() => backend.close());
  const id = backend.direct("ana", "ben");
  const first = await backend.connect("ana");
  backend.link.offline();
  const sent = await first.send(id, "kept");
  expect(sent.durable).toBe(true);
  await first.close();

  const second = await backend.client("ana");
  expect((await second.outbox()).map(({ key, text }) => [key, text])).toEqual([[sent.key, "kept"]]);
  backend.link.online();
  await second.connect();
  await expect(second).toBeAcknowledged(sent);
  expect(backend).toHaveReceivedOnce({ text: "kept", key: sent.key });
});
