// Messages and conversations as the team's wire has them (T4, D4).
import type { ChatClient } from "../client.js";
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

function teamConversation(conversation: Conversation): TeamConversation {
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

/** What `chat:conversation_updated` is about: no message, and nothing that is this user's own. */
function identityOf({ kind, title, avatarUrl, members }: Conversation): string {
  return JSON.stringify([kind, title, avatarUrl, members]);
}

/**
 * Tells a conversation that is new or another one than it was, as the wire does (D4); one that is gone for this user without them. Those
 * of the first list are no news. What it gives takes its listeners off.
 */
export function followConversations(
  client: ChatClient,
  tell: (conversation: TeamConversation) => void,
): (() => void)[] {
  const known = new Map<string, Conversation>();
  let hasBeenLive = client.phase === "live";
  for (const archived of [false, true]) {
    for (const one of client.conversations({ archived }).getSnapshot()) known.set(one.id, one);
  }
  return [
    client.on("phase", (phase) => {
      // The list that makes it so is told in the same task, behind it.
      queueMicrotask(() => {
        hasBeenLive ||= phase === "live";
      });
    }),
    client.on("conversation", (conversation) => {
      const before = known.get(conversation.id);
      known.set(conversation.id, conversation);
      const isNews = before ? identityOf(before) !== identityOf(conversation) : hasBeenLive;
      if (isNews) tell(teamConversation(conversation));
    }),
    client.on("conversationRemoved", ({ conversationId }) => {
      const before = known.get(conversationId);
      known.delete(conversationId);
      if (!before) return;
      const { participants, ...rest } = teamConversation(before);
      tell({ ...rest, participants: participants.filter(({ user_id }) => user_id !== client.userId) });
    }),
  ];
}
