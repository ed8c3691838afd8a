// Ids as applications write them: texts, or numbers where their backend has numbers.
import type { ChatClient } from "./client.js";
import { ChatError, check } from "./errors.js";
import type { Timeline } from "./timeline.js";
import type { Message } from "./types.js";

/** An id as a companion's backend has it. */
export type Id = string | number;

export function isId(value: unknown): value is Id {
  return typeof value === "string" || typeof value === "number";
}

/** As our calls take it. */
export function textId(name: string, id: Id): string {
  return check.id(name, typeof id === "number" ? String(id) : id);
}

/** As a wire takes it whose ids are numbers (C6). */
export function wireId(id: Id): Id {
  return typeof id === "string" && /^(?:0|[1-9]\d{0,14})$/.test(id) ? Number(id) : id;
}

type Windows = Pick<ChatClient, "timeline" | "connection" | "on">;

/** A window that is open while `use` runs, from when `isThere` says so or it shows all that there is. */
export async function withWindow<T>(
  client: Windows,
  conversationId: string,
  isThere: (messages: readonly Message[]) => boolean,
  use: (timeline: Timeline) => Promise<T>,
): Promise<T> {
  const timeline = client.timeline(conversationId);
  const stops: (() => void)[] = [];
  try {
    await new Promise<void>((resolve) => {
      const look = () => {
        const { messages, loading, error } = timeline.getSnapshot();
        const isAll = error !== null || !loading || client.connection.state === "closed";
        if (isAll || isThere(messages)) resolve();
      };
      stops.push(timeline.subscribe(look), client.on("connection", look));
      look();
    });
    return await use(timeline);
  } finally {
    for (const stop of stops) stop();
    timeline.close();
  }
}

/**
 * The row of the newest of these messages, by the server's ids or by row keys. What is asked of a row needs a window that shows
 * it: it stays open while `use` runs.
 */
export async function withNewestRow<T>(
  client: Windows,
  conversationId: string,
  ids: readonly Id[],
  use: (rowKey: string) => Promise<T>,
): Promise<T> {
  const wanted = new Set(ids.map((id, index) => textId(`messageIds[${index}]`, id)));
  const rowIn = (messages: readonly Message[]) =>
    messages.findLast(({ id, rowKey }) => wanted.has(id ?? rowKey) || wanted.has(rowKey));
  const isThere = (messages: readonly Message[]) => rowIn(messages) !== undefined;
  return withWindow(client, conversationId, isThere, async (timeline) => {
    const { messages, loading, error } = timeline.getSnapshot();
    const found = rowIn(messages);
    if (found) return use(found.rowKey);
    throw error ?? new ChatError(loading ? "closed" : "notFound", notShown);
  });
}

const notShown =
  "none of these messages is among the newest of its conversation: open it, and load earlier ones";
