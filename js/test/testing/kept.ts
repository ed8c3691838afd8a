// Where there is a database: what one client queued is there for the next.
import { expect } from "vitest";
import type { createTestBackend } from "../../src/testing/index.js";

type Backend = Awaited<ReturnType<typeof createTestBackend>>;

export async function goesOutOnceAfterARestart(backend: Backend): Promise<void> {
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
}
