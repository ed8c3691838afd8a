// The selectors of the projection, on the state of a store that has the slice under `chat`. Each gives the same object until what it
// selects has changed.
import * as fields from "../projection/selectors.js";
import type { ChatFields } from "../projection/state.js";
import type { Conversation, Message, Presence, Status } from "../types.js";

/** The state of a store that has `chatSlice.reducer` under `chat`. */
export type RootState = { chat: ChatFields };

/** Pinned first, then by their newest message; archived ones are not among them. */
export const selectConversations: (state: RootState) => readonly Conversation[] = ({ chat }) =>
  chat.conversations;
/** The id of the conversation that is open; null: none is. */
export const selectCurrentConversationId: (state: RootState) => string | null = ({ chat }) =>
  chat.currentConversationId;
/** The conversation that is open; null where none is, or it is not known yet. */
export const selectCurrentConversation: (state: RootState) => Conversation | null = ({ chat }) =>
  fields.selectCurrentConversation(chat);
/** The messages of the current conversation, in the server's order. */
export const selectCurrentMessages: (state: RootState) => readonly Message[] = ({ chat }) =>
  fields.selectCurrentMessages(chat);
/** Unread messages of all conversations. */
export const selectUnreadCount: (state: RootState) => number = ({ chat }) => fields.selectUnreadCount(chat);
/** Whether the connection is there now. */
export const selectIsOnline: (state: RootState) => boolean = ({ chat }) => chat.isOnline;
/** Whether own messages are on their way. */
export const selectIsSendingMessage: (state: RootState) => boolean = ({ chat }) => chat.isSendingMessage;
/** What went wrong last with a message, as text to be shown. */
export const selectMessageError: (state: RootState) => string | null = ({ chat }) => chat.messageError;
/** The messages of an open conversation, in the server's order. */
export const selectMessages: (state: RootState, id: string) => readonly Message[] = ({ chat }, id) =>
  fields.selectMessages(id)(chat);
/** A message of an open conversation, by its row key; null where it is not shown. */
export const selectMessage: (state: RootState, id: string) => Message | null = ({ chat }, id) =>
  fields.selectMessage(id)(chat);
/** How far a message is, by its row key; null where it is not shown. */
export const selectMessageStatus: (state: RootState, id: string) => Status | null = ({ chat }, id) =>
  fields.selectMessageStatus(id)(chat);
/** Whether this own message is shown, and the server does not have it yet. */
export const selectIsOptimistic: (state: RootState, id: string) => boolean = ({ chat }, id) =>
  fields.selectIsOptimistic(id)(chat);
/** User ids of others who are typing there. */
export const selectTypingUsers: (state: RootState, id: string) => readonly string[] = ({ chat }, id) =>
  fields.selectTypingUsers(id)(chat);
/** Null while nothing was told of somebody. */
export const selectUserPresence: (state: RootState, id: string) => Presence | null = ({ chat }, id) =>
  fields.selectUserPresence(id)(chat);
