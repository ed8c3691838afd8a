// A store in jsdom, whose window is no EventTarget of its own realm; in Jest its bytes are of another realm, too.
import "fake-indexeddb/auto";
import { onTestFinished, test } from "vitest";
import { createTestBackend } from "../../src/testing/index.js";
import "../../src/testing/vitest.js";
import { goesOutOnceAfterARestart } from "../testing/kept.js";

test("what was queued is there after a restart, and goes out once", async () => {
  const backend = await createTestBackend();
  onTestFinished(() => backend.close());
  await goesOutOnceAfterARestart(backend);
});
