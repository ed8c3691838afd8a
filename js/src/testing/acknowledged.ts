// How an own message ends, and where it has no end yet, what it waits for.
import type { ChatClient } from "../client.js";
import { later, never } from "./clock.js";

type Found = { pass: boolean; found: string };

/** What a client that is held up may take to say so. */
const SAY_MS = 200;

/** By the machine's clock: it is a test that is not to wait, and its own time is of that clock, too. */
export async function acknowledgedWithin(timeoutMs: number, chat: ChatClient, key: string): Promise<Found> {
  const ended = chat.acknowledged(key).then(
    () => ({ pass: true, found: "it was" }),
    (error: unknown) => ({ pass: false, found: `it failed: ${String(error)}` }),
  );
  const found = await within(timeoutMs, ended);
  if (found) return found;
  return { pass: false, found: `after ${timeoutMs} ms ${await waitsFor(chat, key)}` };
}

async function waitsFor(chat: ChatClient, key: string): Promise<string> {
  const outbox = await within(
    SAY_MS,
    chat.outbox().catch(() => []),
  );
  const { state, reason, retryInMs } = chat.connection;
  const retry = state === "waiting" && retryInMs !== null ? `, tries again within ${retryInMs} ms` : "";
  const why = reason === null ? "" : ` (${reason})`;
  return `${inOutbox(outbox, key)}; the client of ${chat.userId} is ${state}${retry}${why}`;
}

function inOutbox(outbox: Awaited<ReturnType<ChatClient["outbox"]>> | undefined, key: string): string {
  if (!outbox) return "its client does not say how far it is";
  const at = outbox.findIndex((entry) => entry.key === key);
  const entry = outbox[at];
  if (!entry) return "it is in the outbox no more";
  const before = at === 0 ? "" : `, with ${at} before it in the outbox`;
  return `${JSON.stringify(entry.text)} is ${entry.status}${before}`;
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof later> | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = later(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    never(timer);
  }
}
