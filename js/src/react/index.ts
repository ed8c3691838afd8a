"use client";

export type { CompanionActions } from "../companion.js";
export type { ChatSocketClient, SocketConfig, SocketError } from "../compat/channels.js";
export type { Id } from "../ids.js";
export { ChatProvider, type ChatProviderProps, useChatClient } from "./context.js";
export {
  useChat,
  useConnection,
  useConversations,
  usePresence,
  useTyping,
  useWebSocket,
  useWebSocketStatus,
} from "./hooks.js";
export type { Typing, UserPresence } from "./people.js";
export { type SharedConfig, type SocketHandle, useSocket } from "./socket.js";
export type { Chat, Connection, Conversations } from "./stores.js";
export type { WebSocketApi, WebSocketStatus } from "./websocket.js";
export { WebSocketProvider, type WebSocketProviderProps } from "./websocket-provider.js";
