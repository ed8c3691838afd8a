// What several guides say of a message, from ours.
import type { ChatClient } from "../client.js";
import { withNewestRow } from "../ids.js";
import type { Draft, Json, Message } from "../types.js";
import { base64ToBytes, bytesToBase64 } from "../wire-data.js";

type Target = { conversationId: string; rowKey: string };

/**
 * The server's id of a row: part of the row key with messages of others, else that of the server's copy. Null where the
 * server has not told one.
 */
export async function serverId(
  client: ChatClient,
  { conversationId, rowKey }: Target,
): Promise<string | null> {
  const prefix = `${conversationId}:`;
  if (rowKey.startsWith(prefix)) return rowKey.slice(prefix.length);
  try {
    return (await client.acknowledged(rowKey)).id;
  } catch {
    return null;
  }
}

/** Base64 of a text in UTF-8 (T5). */
export function toBase64(text: string): string {
  return bytesToBase64(new TextEncoder().encode(text));
}

/** The text again; what is no base64 of UTF-8 is taken as it stands. */
export function fromBase64(text: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(base64ToBytes(text));
  } catch {
    return text;
  }
}

/** What a guide's message carries beside its text, as it came: what is no text where one is wanted is left out. */
type Beside = Partial<Record<"key" | "type" | "metadata" | "replyTo", Json | undefined>>;

/** Sends what a guide's message says. `replyTo` may be the server's id. */
export async function sendAs(
  client: ChatClient,
  conversationId: string,
  text: string,
  { key, type, metadata, replyTo }: Beside,
): Promise<Message> {
  const draft: Draft = {
    text,
    ...(typeof type === "string" && { type }),
    ...(metadata !== undefined && { metadata }),
  };
  const options = typeof key === "string" ? { key } : {};
  if (typeof replyTo !== "string") return client.send(conversationId, draft, options);
  return withNewestRow(client, conversationId, [replyTo], (row) =>
    client.send(conversationId, { ...draft, replyTo: row }, options),
  );
}

/** An acknowledgement: what was stored, or what is wrong. */
export type Ack<T> =
  | { success: true; data: T; error?: undefined }
  | { success: false; data?: undefined; error: string };

/** How a message ended, as an acknowledgement says it (T3, H4). */
export async function ackOf(client: ChatClient, message: Message): Promise<Ack<Message>> {
  try {
    return { success: true, data: await client.acknowledged(message.key) };
  } catch (error) {
    return { success: false, error: error instanceof Error ? error.message : String(error) };
  }
}
