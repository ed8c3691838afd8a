/** Whole words and sentences, so that each language can order them as it likes. Times are those of the browser's locale. */
export const english = {
  conversations: "Conversations",
  noConversations: "No conversations yet",
  chooseConversation: "Choose a conversation",
  untitled: "Conversation",
  backToConversations: "Back to the conversations",
  online: "online",
  unread: (count: number): string => `${count} unread`,
  draft: (text: string): string => `Draft: ${text}`,
  ownPreview: (text: string): string => `You: ${text}`,

  messages: "Messages",
  noMessages: "No messages yet",
  loadEarlier: "Load earlier messages",
  loading: "Loading…",
  toNewest: "To the newest message",
  newMessages: (count: number): string => (count === 1 ? "1 new message" : `${count} new messages`),
  gap: "Messages are missing here",
  fillGap: "Ask for them again",
  /** Read out when a message comes. */
  announce: (name: string, text: string): string => `${name}: ${text}`,

  deleted: "Message deleted",
  edited: "edited",
  onlyInMemory: "not stored",
  notSent: (reason: string): string => `Not sent: ${reason}`,
  resend: "Send again",
  discard: "Discard",
  attachment: "Attachment",
  actions: "Message actions",
  react: (emoji: string): string => `React with ${emoji}`,
  reaction: (emoji: string, count: number): string => `${emoji} ${count}`,
  reply: "Reply",
  edit: "Edit",
  remove: "Delete",
  status: {
    saving: "Being stored",
    saved: "Stored on this device",
    sent: "Sent, not confirmed yet",
    acknowledged: "Sent",
    delivered: "Delivered",
    read: "Read",
    failed: "Not sent",
  },

  message: "Message",
  send: "Send",
  save: "Save",
  cancel: "Cancel",
  replyingTo: (text: string): string => `Replying to: ${text}`,
  editing: "Editing your message",
  length: (length: number, most: number): string => `${length} of ${most} characters`,
  dismiss: "Dismiss",
  typing: (names: readonly string[]): string =>
    `${names.join(", ")} ${names.length === 1 ? "is" : "are"} typing…`,

  connection: {
    idle: "Not connected",
    connecting: "Connecting…",
    authenticating: "Signing in…",
    online: "Online",
    waiting: "No connection",
    otherTab: "Another tab of yours holds the connection",
    offline: "Offline: messages are kept and go out later",
    closed: "Disconnected",
    failed: "Could not connect",
    /** What proves who this user is has run out. */
    refused: "Please sign in again",
  },
  /** The title of the line on the connection: for those who build the application. */
  because: (state: string, reason: string): string => `${state}: ${reason}`,
  nextAttempt: (seconds: number): string => `Next attempt in ${seconds} s`,
  tryNow: "Try now",

  time: (date: Date): string => formats().time.format(date),
  /** Above the first message of a day. */
  day: (date: Date): string => (isToday(date) ? "Today" : formats().longDay.format(date)),
  /** In the list of conversations. */
  when: (date: Date): string => (isToday(date) ? formats().time : formats().shortDay).format(date),
};

/** Everything that the components say. */
export type ChatStrings = typeof english;

/** Made when first used: importing does nothing. */
let made: Record<"time" | "shortDay" | "longDay", Intl.DateTimeFormat> | undefined;

function formats() {
  made ??= {
    time: new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" }),
    shortDay: new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" }),
    longDay: new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" }),
  };
  return made;
}

function isToday(date: Date): boolean {
  return date.toDateString() === new Date().toDateString();
}
