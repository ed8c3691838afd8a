// What the backend has stored, in the words of `chatwire`.
import type { Json } from "../types.js";

/** A message as the backend has it. */
export type ReceivedMessage = {
  id: string;
  conversationId: string;
  senderId: string;
  text: string;
  type: string;
  /** The sender's idempotency key; null for what a {@link TestUser} has said. */
  key: string | null;
  metadata: Json;
  /** The id of the message that it answers. */
  replyTo: string | null;
  seq: number;
  /** The furthest of any reader. */
  status: "sent" | "delivered" | "read";
  reactions: { userId: string; emoji: string }[];
  createdAt: string;
  isEdited: boolean;
  isDeleted: boolean;
};

/** As the wire calls its fields (T4, D4). */
export type Row = {
  id: string;
  conversation_id: string;
  sender_id: string;
  content_encrypted: string;
  message_type: string;
  client_message_id?: string | null;
  metadata?: Json;
  reply_to?: string | null;
  seq: number;
  status: ReceivedMessage["status"];
  reactions: { user_id: string; emoji: string }[];
  created_at: string;
  edited_at?: string | null;
  deleted_at?: string | null;
};

export function receivedOf(row: Row): ReceivedMessage {
  return {
    id: row.id,
    conversationId: row.conversation_id,
    senderId: row.sender_id,
    text: decoded(row.content_encrypted),
    type: row.message_type,
    key: row.client_message_id ?? null,
    metadata: row.metadata ?? null,
    replyTo: row.reply_to ?? null,
    seq: row.seq,
    status: row.status,
    reactions: row.reactions.map(({ user_id, emoji }) => ({ userId: user_id, emoji })),
    createdAt: row.created_at,
    isEdited: Boolean(row.edited_at),
    isDeleted: Boolean(row.deleted_at),
  };
}

/** T5: base64 of UTF-8. */
export function encoded(text: string): string {
  return btoa(String.fromCodePoint(...new TextEncoder().encode(text)));
}

function decoded(base64: string): string {
  return new TextDecoder().decode(Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0)));
}
