// Messages and conversations as the team's wire has them (T4, D4).
import type { Conversation, Message } from "../types.js";
import { toBase64 } from "./records.js";

/** A message as that wire has it (T4). */
export type TeamMessage = {
  id: string;
  sender_id: string;
  /** Base64 of the text in UTF-8 (T5). */
  content_encrypted: string;
  conversation_id: string;
  message_type: string;
  created_at: string;
  /** Of own messages. */
  client_message_id?: string;
  /** The server's order, where it has one. */
  seq?: number;
};

/** A conversation as that wire has it (D4). */
export type TeamConversation = {
  id: string;
  type: "direct" | "group";
  title: string;
  avatar_url: string | null;
  participants: { user_id: string; username: string; role: string }[];
  unread_count: number;
  last_message: TeamMessage | null;
};

export function teamMessage(message: Message): TeamMessage {
  return {
    id: message.id ?? message.rowKey,
    sender_id: message.senderId,
    content_encrypted: toBase64(message.text),
    conversation_id: message.conversationId,
    message_type: message.type,
    created_at: message.createdAt,
    ...(message.key !== null && { client_message_id: message.key }),
    ...(message.seq !== null && { seq: message.seq }),
  };
}

export function teamConversation(conversation: Conversation): TeamConversation {
  const { id, kind, title, avatarUrl, members, unread, lastMessage } = conversation;
  return {
    id,
    type: kind === "direct" ? "direct" : "group",
    title,
    avatar_url: avatarUrl,
    participants: members.map(({ userId, name, role }) => ({ user_id: userId, username: name, role })),
    unread_count: unread,
    last_message: lastMessage && teamMessage(lastMessage),
  };
}
