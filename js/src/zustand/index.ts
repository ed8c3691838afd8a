"use client";

export {
  selectConversations,
  selectCurrentConversation,
  selectCurrentConversationId,
  selectCurrentMessages,
  selectIsOnline,
  selectIsOptimistic,
  selectIsSendingMessage,
  selectMessage,
  selectMessageError,
  selectMessageStatus,
  selectMessages,
  selectTypingUsers,
  selectUnreadCount,
  selectUserPresence,
} from "../projection/selectors.js";
export type { ChatActions, ChatFields, ChatState } from "../projection/state.js";
export { type ChatStore, createChatStore, useChatStore } from "./store.js";
