// When nothing moves any more, without a guess at how long that takes.
import type { ChatClient } from "../client.js";
import { isFaked, now, turn } from "./clock.js";
import type { Link } from "./link.js";
import type { Namespace } from "./namespace.js";

type Moving = { link: Link; namespace: Namespace; clients: ReadonlySet<ChatClient> };

/** So many turns of the event loop in a row: what a client does between two frames, with a store that answers in turns of its own. */
const QUIET_TURNS = 12;

/** Resolves when it is quiet; rejects with what is not. */
export async function settle(moving: Moving, timeoutMs: number): Promise<void> {
  const end = now() + timeoutMs;
  for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
    await turn();
    const why = await unsettled(moving);
    if (why === undefined) continue;
    quiet = -1;
    if (now() > end) throw new Error(`the backend did not settle within ${timeoutMs} ms: ${why}`);
  }
}

async function unsettled({ link, namespace, clients }: Moving): Promise<string | undefined> {
  if (link.moving > 0) return `${link.moving} frames or requests are on their way`;
  for (const chat of clients) {
    const { state, retryInMs } = chat.connection;
    const who = `the client of ${chat.userId}`;
    if (state === "connecting" || state === "authenticating") {
      if (!isStuck(namespace, null)) return `${who} is ${state}`;
    }
    // A clock that is faked stands until the test moves it.
    if (state === "waiting" && retryInMs !== null && link.takesConnections && !isFaked()) {
      return `${who} tries to connect again in ${retryInMs} ms`;
    }
    if (state !== "online" || isStuck(namespace, chat.userId)) continue;
    const { requests, unsaved } = chat.diagnostics();
    if (requests > 0) return `${who} waits for ${requests} answers of REST`;
    if (unsaved > 0) return `${who} has ${unsaved} messages to store`;
    const open = (await chat.outbox()).filter(({ status }) => status !== "failed");
    if (open.length > 0) return `${who} has not sent ${JSON.stringify(open.map(({ text }) => text))}`;
  }
  return undefined;
}

/** Something was lost on the way. */
function isStuck(namespace: Namespace, userId: string | null): boolean {
  return [...namespace.connections].some((one) => one.userId === userId && one.isLossy);
}
