// What a Phoenix channel tells of what the core has read, in the shapes of that wire (P8, D7).
import type { ChatClient } from "../client.js";
import type { Conversation, Json, Message, Status } from "../types.js";
import { followConversations } from "./conversations.js";
import { type ReactionChange, ReactionTeller } from "./reactions.js";
import { serverId } from "./records.js";

/** A record as that wire has it (D7). */
export type PhoenixMessage = {
  id: string;
  client_id?: string;
  conversation_id: string;
  sender_id: string;
  content: string;
  type: string;
  metadata: Json;
  /** The server's id of the message that it answers; the key with an own message that the server does not have yet. */
  reply_to: string | null;
  status: Status;
  seq: number | null;
  inserted_at: string;
};

/** A conversation on that wire. */
export type PhoenixConversation = {
  id: string;
  kind: "direct" | "group";
  title: string;
  avatar_url: string | null;
  members: { id: string; name: string; role: string }[];
};

type Follow = (client: ChatClient, id: string, tell: (payload: unknown) => void) => () => void;

/** P8, from what the core has read. */
export const readOfConversation: Record<string, Follow | undefined> = {
  "message:new": (client, id, tell) =>
    client.on("message", (message) => message.conversationId === id && tell(phoenixMessage(message))),
  "message:update": (client, id, tell) =>
    client.on("messageUpdated", (message) => message.conversationId === id && tell(phoenixMessage(message))),
  "message:delete": (client, id, tell) =>
    client.on("messageDeleted", (target) => {
      if (target.conversationId === id) withServerId(client, target, (id) => tell({ id }));
    }),
  "message:react": (client, id, tell) => {
    const isHeard = () => true;
    const told = ({ messageId, emoji, userId, op }: ReactionChange) =>
      tell({ id: messageId, emoji, user_id: userId, op });
    const reactions = new ReactionTeller(client, isHeard, told, id);
    const stop = allOf(reactions.start());
    // Where the window cannot be read, all that a message has is told as added.
    reactions.seed(id).catch(() => {});
    return stop;
  },
  "message:read": (client, id, tell) =>
    client.on("status", (target) => {
      if (target.conversationId !== id || target.status !== "read") return;
      withServerId(client, target, (upTo) => tell({ up_to: upTo }));
    }),
  typing: (client, id, tell) =>
    client.on("typing", ({ conversationId, userId, typing }) => {
      if (conversationId === id) tell({ user_id: userId, is_typing: typing });
    }),
};

/** Conversations on the user's own topic, from what the core has read. */
export const readOfUser: Record<
  string,
  ((client: ChatClient, tell: (payload: unknown) => void) => () => void) | undefined
> = {
  "conversation:new": (client, tell) =>
    allOf(
      followConversations(client, (one, isNew) => isNew && tell({ conversation: phoenixConversation(one) })),
    ),
  "conversation:update": (client, tell) =>
    allOf(
      followConversations(client, (one, isNew) => !isNew && tell({ conversation: phoenixConversation(one) })),
    ),
};

function allOf(stops: readonly (() => void)[]): () => void {
  return () => {
    for (const stop of stops) stop();
  };
}

/** At once where the row key has it, with messages of others; the key where the server has told none. */
function withServerId(
  client: ChatClient,
  target: { conversationId: string; rowKey: string },
  tell: (id: string) => void,
): void {
  const id = idOf(target.conversationId, target.rowKey);
  if (id !== target.rowKey) tell(id);
  else serverId(client, target).then((known) => tell(known ?? id));
}

/** The server's id in a row key of others; the key itself with own messages, which is their `client_id`. */
function idOf(conversationId: string, rowKey: string): string {
  const prefix = `${conversationId}:`;
  return rowKey.startsWith(prefix) ? rowKey.slice(prefix.length) : rowKey;
}

export function phoenixMessage(message: Message): PhoenixMessage {
  return {
    id: message.id ?? message.rowKey,
    ...(message.key !== null && { client_id: message.key }),
    conversation_id: message.conversationId,
    sender_id: message.senderId,
    content: message.text,
    type: message.type,
    metadata: message.metadata,
    reply_to: message.replyTo && idOf(message.conversationId, message.replyTo.rowKey),
    status: message.status,
    seq: message.seq,
    inserted_at: message.createdAt,
  };
}

function phoenixConversation({ id, kind, title, avatarUrl, members }: Conversation): PhoenixConversation {
  return {
    id,
    kind: kind === "direct" ? "direct" : "group",
    title,
    avatar_url: avatarUrl,
    members: members.map(({ userId, name, role }) => ({ id: userId, name, role })),
  };
}
