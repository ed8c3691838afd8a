// Each gives the same object until what it selects has changed, as `useSyncExternalStore` wants it.
import type { Conversation, Message, Presence, Status } from "../types.js";
import { type ChatFields, entry, keptList } from "./state.js";

type Select<T> = (state: ChatFields) => T;

const noMessages: readonly Message[] = Object.freeze([]);
const nobody: readonly string[] = Object.freeze([]);

export const selectConversations: Select<readonly Conversation[]> = (state) => state.conversations;
export const selectCurrentConversationId: Select<string | null> = (state) => state.currentConversationId;
export const selectCurrentConversation: Select<Conversation | null> = ({
  conversations,
  currentConversationId,
}) => conversations.find(({ id }) => id === currentConversationId) ?? null;
export const selectIsOnline: Select<boolean> = (state) => state.isOnline;
export const selectIsSendingMessage: Select<boolean> = (state) => state.isSendingMessage;
export const selectMessageError: Select<string | null> = (state) => state.messageError;
export const selectUnreadCount: Select<number> = ({ conversations }) =>
  conversations.reduce((sum, { unread }) => sum + unread, 0);

// By the list of their ids, which is replaced when another message comes: what was given for it last.
const shownFor = new WeakMap<readonly string[], readonly Message[]>();

/** The messages of an open conversation, in the server's order. */
export function selectMessages(conversationId: string): Select<readonly Message[]> {
  return ({ messageIdsInConversation, messagesById }) => {
    const ids = entry(messageIdsInConversation, conversationId);
    if (!ids || ids.length === 0) return noMessages;
    const messages = keptList(
      shownFor.get(ids),
      ids.flatMap((id) => entry(messagesById, id) ?? []),
    );
    shownFor.set(ids, messages);
    return messages;
  };
}

export const selectCurrentMessages: Select<readonly Message[]> = (state) =>
  state.currentConversationId === null ? noMessages : selectMessages(state.currentConversationId)(state);

export function selectMessage(messageId: string): Select<Message | null> {
  return ({ messagesById }) => entry(messagesById, messageId) ?? null;
}

export function selectMessageStatus(messageId: string): Select<Status | null> {
  return ({ messageStatusesById }) => entry(messageStatusesById, messageId) ?? null;
}

export function selectIsOptimistic(messageId: string): Select<boolean> {
  return ({ optimisticMessageIds }) => optimisticMessageIds.includes(messageId);
}

/** User ids of others who are typing there. */
export function selectTypingUsers(conversationId: string): Select<readonly string[]> {
  return ({ typingUsersInConversation }) => entry(typingUsersInConversation, conversationId) ?? nobody;
}

/** Null while nothing was told of somebody. */
export function selectUserPresence(userId: string): Select<Presence | null> {
  return ({ userPresenceById }) => entry(userPresenceById, userId) ?? null;
}
