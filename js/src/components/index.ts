"use client";

export { ChatDebugPanel, type ChatDebugPanelProps } from "./ChatDebugPanel.js";
export { ChatInterface, type ChatInterfaceProps } from "./ChatInterface.js";
export { Composer, type ComposerProps } from "./Composer.js";
export { ConnectionStatus } from "./ConnectionStatus.js";
export { ConversationList, type ConversationListProps } from "./ConversationList.js";
export { MessageBubble, type MessageBubbleProps } from "./MessageBubble.js";
export { MessageList, type MessageListProps } from "./MessageList.js";
export type { MessageAction } from "./MessageRow.js";
export { type Wording, WordingProvider, type WordingProviderProps } from "./provider.js";
export { type ChatStrings, english } from "./strings.js";
export { TypingIndicator } from "./TypingIndicator.js";
