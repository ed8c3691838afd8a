// What `chatwire/testing/vitest` makes of Vitest's types.
import { createTestBackend } from "chatwire/testing";
import "chatwire/testing/vitest";
import { expect } from "vitest";

const backend = await createTestBackend();
const chat = await backend.connect("ana");
expect(chat).toBeConnected();
expect(backend).toHaveReceivedOnce({ text: expect.stringContaining("x"), status: "read" });
expect(chat.timeline("c")).not.toShow(["x"]);
await expect(chat).toBeAcknowledged("key");
await expect(chat).not.toBeAcknowledged("key", { timeoutMs: 50 });
// @ts-expect-error: there is no such option
await expect(chat).toBeAcknowledged("key", { timeout: 50 });
// @ts-expect-error: there is no such field
expect(backend).toHaveReceived({ body: "x" });
// @ts-expect-error: there is no such status
expect((await chat.outbox())[0]).toHaveStatus("gone");
