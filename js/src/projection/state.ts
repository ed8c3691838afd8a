import type { Conversation, Draft, Message, Presence, Status } from "../types.js";

type ById<T> = Readonly<Record<string, T>>;

/** What the client shows, under the names of the guide's store. Ids of messages are row keys: they never change. */
export type ChatFields = {
  /** Pinned first, then by their newest message; archived ones are not among them. */
  readonly conversations: readonly Conversation[];
  readonly currentConversationId: string | null;
  /** Of the conversations that are open. */
  readonly messagesById: Readonly<Record<string, Message>>;
  /** In the server's order. */
  readonly messageIdsInConversation: Readonly<Record<string, readonly string[]>>;
  readonly messageStatusesById: Readonly<Record<string, Status>>;
  readonly userPresenceById: Readonly<Record<string, Presence>>;
  /** User ids of others who are typing now. */
  readonly typingUsersInConversation: Readonly<Record<string, readonly string[]>>;
  /** Own messages that are shown, and that the server does not have yet. */
  readonly optimisticMessageIds: readonly string[];
  /** Some of them are on their way: there is a connection. */
  readonly isSendingMessage: boolean;
  /** What went wrong last with a message, as text to be shown. */
  readonly messageError: string | null;
  readonly isOnline: boolean;
};

/** What is done to the chat, under the names of the guide's store. None of them rejects: `messageError` says what went wrong. */
export type ChatActions = {
  /** Opens a conversation, and makes it the current one; null: there is none. */
  readonly setCurrentConversation: (conversationId: string | null) => void;
  /** Resolves with the message when it is on disk, or with null when it was refused: `messageError` says why. Never rejects. */
  readonly sendMessage: (content: string | Draft, conversationId?: string) => Promise<Message | null>;
  readonly loadEarlier: (conversationId?: string) => Promise<void>;
  readonly resendMessage: (messageId: string) => Promise<void>;
  readonly discardMessage: (messageId: string) => Promise<void>;
  /** Everything up to this message, by default the newest, is read. */
  readonly markAsRead: (conversationId?: string, messageId?: string) => Promise<void>;
  readonly setTyping: (typing: boolean, conversationId?: string) => void;
  readonly clearMessageError: () => void;
};

/** All that the store has. */
export type ChatState = ChatFields & ChatActions;

export const emptyFields: ChatFields = Object.freeze({
  conversations: Object.freeze([]),
  currentConversationId: null,
  messagesById: Object.freeze({}),
  messageIdsInConversation: Object.freeze({}),
  messageStatusesById: Object.freeze({}),
  userPresenceById: Object.freeze({}),
  typingUsersInConversation: Object.freeze({}),
  optimisticMessageIds: Object.freeze([]),
  isSendingMessage: false,
  messageError: null,
  isOnline: false,
});

/** The entry of this name. Ids come from outside: `constructor` is none until somebody is called so. */
export function entry<T>(record: ById<T>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** `next`, or `last` where both hold the same: what looks at it is not told then. */
export function keptRecord<T>(last: ById<T>, next: ById<T>): ById<T> {
  const names = Object.keys(next);
  const isSame = (name: string) => Object.hasOwn(last, name) && last[name] === next[name];
  return names.length === Object.keys(last).length && names.every(isSame) ? last : next;
}

export function keptList<T>(last: readonly T[] | undefined, next: readonly T[]): readonly T[] {
  return last?.length === next.length && last.every((item, index) => item === next[index]) ? last : next;
}

/** A record with one entry more; another one goes where there are too many. */
export function withEntry<T>(record: ById<T>, name: string, value: T, max: number): ById<T> {
  const next: Record<string, T> = { ...without(record, name), [name]: value };
  const names = Object.keys(next);
  const other = names.length > max ? names.find((there) => there !== name) : undefined;
  return other === undefined ? next : without(next, other);
}

export function without<T>(record: ById<T>, name: string): ById<T> {
  const { [name]: _, ...others } = record;
  return others;
}
