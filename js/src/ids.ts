// Ids as applications write them: texts, or numbers where their backend has numbers.
import type { ChatClient } from "./client.js";
import { ChatError, check } from "./errors.js";

/** An id as a companion's backend has it. */
export type Id = string | number;

/** As our calls take it. */
export function textId(name: string, id: Id): string {
  return check.id(name, typeof id === "number" ? String(id) : id);
}

/** As a wire takes it whose ids are numbers (C6). */
export function wireId(id: Id): Id {
  return typeof id === "string" && /^(?:0|[1-9]\d{0,14})$/.test(id) ? Number(id) : id;
}

type Windows = Pick<ChatClient, "timeline" | "connection" | "on">;

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
  const timeline = client.timeline(conversationId);
  const stops: (() => void)[] = [];
  try {
    const rowKey = await new Promise<string>((resolve, reject) => {
      const look = () => {
        const { messages, loading, error } = timeline.getSnapshot();
        const found = messages.findLast(({ id, rowKey }) => wanted.has(id ?? rowKey) || wanted.has(rowKey));
        if (found) resolve(found.rowKey);
        else if (error) reject(error);
        else if (!loading) reject(new ChatError("notFound", notShown));
        else if (client.connection.state === "closed") reject(new ChatError("closed", notShown));
      };
      stops.push(timeline.subscribe(look), client.on("connection", look));
      look();
    });
    return await use(rowKey);
  } finally {
    for (const stop of stops) stop();
    timeline.close();
  }
}

const notShown =
  "none of these messages is among the newest of its conversation: open it, and load earlier ones";
