// Each gives the same object until what it selects has changed, as `useSyncExternalStore` wants it.
import type { Conversation, Message, Presence, Status } from "../types.js";
import { type ChatFields, entry, keptList } from "./state.js";

const noMessages: readonly Message[] = Object.freeze([]);
const nobody: readonly string[] = Object.freeze([]);

/** Pinned first, then by their newest message; archived ones are not among them. */
export const selectConversations: (state: ChatFields) => readonly Conversation[] = (state) =>
  state.conversations;
/** The id of the conversation that is open; null: none is. */
export const selectCurrentConversationId: (state: ChatFields) => string | null = (state) =>
  state.currentConversationId;
/** The conversation that is open; null where none is, or it is not known yet. */
export const selectCurrentConversation: (state: ChatFields) => Conversation | null = ({
  conversations,
  currentConversationId,
}) => conversations.find(({ id }) => id === currentConversationId) ?? null;
/** Whether the connection is there now. */
export const selectIsOnline: (state: ChatFields) => boolean = (state) => state.isOnline;
/** Whether own messages are on their way. */
export const selectIsSendingMessage: (state: ChatFields) => boolean = (state) => state.isSendingMessage;
/** What went wrong last with a message, as text to be shown. */
export const selectMessageError: (state: ChatFields) => string | null = (state) => state.messageError;
/** Unread messages of all conversations. */
export const selectUnreadCount: (state: ChatFields) => number = ({ conversations }) =>
  conversations.reduce((sum, { unread }) => sum + unread, 0);

// By the list of their ids, which is replaced when another message comes: what was given for it last.
const shownFor = new WeakMap<readonly string[], readonly Message[]>();

/** The messages of an open conversation, in the server's order. */
export function selectMessages(conversationId: string): (state: ChatFields) => readonly Message[] {
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

/** The messages of the current conversation, in the server's order. */
export const selectCurrentMessages: (state: ChatFields) => readonly Message[] = (state) =>
  state.currentConversationId === null ? noMessages : selectMessages(state.currentConversationId)(state);

/** A message of an open conversation, by its row key; null where it is not shown. */
export function selectMessage(messageId: string): (state: ChatFields) => Message | null {
  return ({ messagesById }) => entry(messagesById, messageId) ?? null;
}

/** How far a message is, by its row key; null where it is not shown. */
export function selectMessageStatus(messageId: string): (state: ChatFields) => Status | null {
  return ({ messageStatusesById }) => entry(messageStatusesById, messageId) ?? null;
}

/** Whether this own message is shown, and the server does not have it yet. */
export function selectIsOptimistic(messageId: string): (state: ChatFields) => boolean {
  return ({ optimisticMessageIds }) => optimisticMessageIds.includes(messageId);
}

/** User ids of others who are typing there. */
export function selectTypingUsers(conversationId: string): (state: ChatFields) => readonly string[] {
  return ({ typingUsersInConversation }) => entry(typingUsersInConversation, conversationId) ?? nobody;
}

/** Null while nothing was told of somebody. */
export function selectUserPresence(userId: string): (state: ChatFields) => Presence | null {
  return ({ userPresenceById }) => entry(userPresenceById, userId) ?? null;
}
