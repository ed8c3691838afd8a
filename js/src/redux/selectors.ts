// The selectors of the projection, on the state of a store that has the slice under `chat`. Each gives the same object until what it
// selects has changed.
import * as fields from "../projection/selectors.js";
import type { ChatFields } from "../projection/state.js";
import type { Conversation, Message, Presence, Status } from "../types.js";

/** The state of a store that has `chatSlice.reducer` under `chat`. */
export type RootState = { chat: ChatFields };

type Select<T> = (state: RootState) => T;
type SelectBy<T> = (state: RootState, id: string) => T;

/** Pinned first, then by their newest message; archived ones are not among them. */
export const selectConversations: Select<readonly Conversation[]> = ({ chat }) => chat.conversations;
/** The id of the conversation that is open; null: none is. */
export const selectCurrentConversationId: Select<string | null> = ({ chat }) => chat.currentConversationId;
/** The conversation that is open; null where none is, or it is not known yet. */
export const selectCurrentConversation: Select<Conversation | null> = ({ chat }) =>
  fields.selectCurrentConversation(chat);
/** The messages of the current conversation, in the server's order. */
export const selectCurrentMessages: Select<readonly Message[]> = ({ chat }) =>
  fields.selectCurrentMessages(chat);
/** Unread messages of all conversations. */
export const selectUnreadCount: Select<number> = ({ chat }) => fields.selectUnreadCount(chat);
/** Whether the connection is there now. */
export const selectIsOnline: Select<boolean> = ({ chat }) => chat.isOnline;
/** Whether own messages are on their way. */
export const selectIsSendingMessage: Select<boolean> = ({ chat }) => chat.isSendingMessage;
/** What went wrong last with a message, as text to be shown. */
export const selectMessageError: Select<string | null> = ({ chat }) => chat.messageError;
/** The messages of an open conversation, in the server's order. */
export const selectMessages: SelectBy<readonly Message[]> = ({ chat }, id) => fields.selectMessages(id)(chat);
/** A message of an open conversation, by its row key; null where it is not shown. */
export const selectMessage: SelectBy<Message | null> = ({ chat }, id) => fields.selectMessage(id)(chat);
/** How far a message is, by its row key; null where it is not shown. */
export const selectMessageStatus: SelectBy<Status | null> = ({ chat }, id) =>
  fields.selectMessageStatus(id)(chat);
/** Whether this own message is shown, and the server does not have it yet. */
export const selectIsOptimistic: SelectBy<boolean> = ({ chat }, id) => fields.selectIsOptimistic(id)(chat);
/** User ids of others who are typing there. */
export const selectTypingUsers: SelectBy<readonly string[]> = ({ chat }, id) =>
  fields.selectTypingUsers(id)(chat);
/** Null while nothing was told of somebody. */
export const selectUserPresence: SelectBy<Presence | null> = ({ chat }, id) =>
  fields.selectUserPresence(id)(chat);
