"use client";

export { ChatProvider, type ChatProviderProps, useChatClient } from "./context.js";
export { useChat, useConnection, useConversations } from "./hooks.js";
export type { Chat, Connection, Conversations } from "./stores.js";
