// Code that was written against the guides of five backends goes on with these names: thin facades on one client. They hold
// no chat state; which fact of a guide each name comes from is said where it stands.

export type { Id } from "../ids.js";
export {
  type ChatMessage,
  ChatService,
  type ChatServiceEvents,
  MessageQueue,
  type NetworkEvents,
  NetworkManager,
  type OAuthEvents,
  type OAuthFailure,
  OAuthHandler,
  type QueuedMessage,
} from "./assistant.js";
export {
  type ChannelEvents,
  type ChannelMessage,
  ChatSocketClient,
  MessageRecoveryManager,
  type SentMessage,
  type SocketConfig,
  type SocketError,
  SocketErrorType,
  SocketEvents,
} from "./channels.js";
export { ChatManager, type ChatManagerEvents } from "./chat-manager.js";
export {
  type CompanionEvents,
  type CompanionMessage,
  CompanionSocketClient,
  getSocketClient,
} from "./companion.js";
export {
  Channel,
  SocketService,
  type SocketServiceEvents,
} from "./phoenix.js";
export type { PhoenixConversation, PhoenixMessage } from "./phoenix-events.js";
export type { Ack } from "./records.js";
export type { FacadeOptions } from "./slot.js";
export {
  initializeSocket,
  sendMessage,
  sendTypingIndicator,
  type TeamEvents,
  TeamSocket,
} from "./team.js";
export type { TeamConversation, TeamMessage } from "./team-records.js";
