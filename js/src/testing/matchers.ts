// Matchers for `expect.extend`, of Vitest and Jest alike: what they say shows what was there instead.
import type { ChatClient } from "../client.js";
import type { Message, Status, TimelineSnapshot } from "../types.js";
import { acknowledgedWithin } from "./acknowledged.js";
import { outsideAct } from "./act.js";
import type { TestBackend } from "./backend.js";
import type { ReceivedMessage } from "./messages.js";
import { onlyKnown } from "./names.js";

/** What a runner gives its matchers, as far as these need it. */
export type MatcherState = {
  equals(a: unknown, b: unknown): boolean;
  isNot?: boolean;
  utils: { printExpected(value: unknown): string; printReceived(value: unknown): string };
};
/** What a matcher found. */
export type MatcherResult = { pass: boolean; message: () => string };

/** What has messages to show: a timeline, its snapshot, what `useChat` gives, or a list of them. */
export type Shown =
  | { getSnapshot(): TimelineSnapshot }
  | { readonly messages: readonly Message[] }
  | readonly Message[];

/** How long `toBeAcknowledged` waits. */
export type AcknowledgedOptions = { timeoutMs?: number };

/** For `expect.extend`. */
export const matchers = {
  /** The backend has at least one message with these fields. */
  toHaveReceived(this: MatcherState, backend: TestBackend, fields: Partial<ReceivedMessage>): MatcherResult {
    const count = matching(this, backend, fields).length;
    return received(this, backend, fields, count > 0, "a message");
  },

  /** The backend has exactly one. */
  toHaveReceivedOnce(
    this: MatcherState,
    backend: TestBackend,
    fields: Partial<ReceivedMessage>,
  ): MatcherResult {
    const count = matching(this, backend, fields).length;
    return received(this, backend, fields, count === 1, `exactly one message, and not ${count},`);
  },

  /** How far this message is. */
  toHaveStatus(this: MatcherState, message: Message, status: Status): MatcherResult {
    const { printExpected, printReceived } = this.utils;
    const why = message.failure ? ` (${message.failure.code}: ${message.failure.message})` : "";
    return {
      pass: message.status === status,
      message: () =>
        `expected the message ${JSON.stringify(message.text)} ${not(this)}to have the status ${printExpected(status)}, ` +
        `it has ${printReceived(message.status)}${why}`,
    };
  },

  /**
   * Waits until the client has an answer to this own message of it: `await expect(chat).toBeAcknowledged(message)`. One
   * that has none after `timeoutMs` (4,000, less than a test has in Vitest and Jest) is not acknowledged.
   */
  async toBeAcknowledged(
    this: MatcherState,
    chat: ChatClient,
    message: string | { key: string | null },
    options: AcknowledgedOptions = {},
  ): Promise<MatcherResult> {
    const { timeoutMs = 4_000 } = onlyKnown("acknowledged", "toBeAcknowledged()", options);
    const key = typeof message === "string" ? message : message.key;
    const { pass, found } = await outsideAct(() => acknowledgedWithin(timeoutMs, chat, key ?? ""));
    return {
      pass,
      message: () =>
        `expected the message ${this.utils.printExpected(key)} ${not(this)}to be acknowledged; ${found}`,
    };
  },

  /** The client is online. */
  toBeConnected(this: MatcherState, chat: Pick<ChatClient, "connection" | "userId">): MatcherResult {
    const { state, reason } = chat.connection;
    const why = reason === null ? "" : ` (${reason})`;
    return {
      pass: state === "online",
      message: () =>
        `expected the client of ${chat.userId} ${not(this)}to be online; it is ${this.utils.printReceived(state)}${why}`,
    };
  },

  /** These texts in this order, and no others. */
  toShow(this: MatcherState, shown: Shown, texts: readonly unknown[]): MatcherResult {
    const messages = messagesOf(shown);
    const found = messages.map(({ text }) => text);
    const lines = messages.map(({ text, senderId, status }) => `  ${senderId}: ${text} (${status})`);
    return {
      pass: this.equals(found, texts),
      message: () =>
        `expected the conversation ${not(this)}to show ${this.utils.printExpected(texts)}, it shows ` +
        `${this.utils.printReceived(found)}${lines.length > 0 ? `\n${lines.join("\n")}` : ""}`,
    };
  },
};

function matching(state: MatcherState, backend: TestBackend, fields: Partial<ReceivedMessage>) {
  const wanted = Object.entries(onlyKnown("fields", "toHaveReceived()", fields));
  return backend
    .messages()
    .filter((message) =>
      wanted.every(([name, value]) => state.equals(message[name as keyof ReceivedMessage], value)),
    );
}

function received(
  state: MatcherState,
  backend: TestBackend,
  fields: Partial<ReceivedMessage>,
  pass: boolean,
  what: string,
): MatcherResult {
  const lines = backend
    .messages()
    .map(({ senderId, conversationId, text, key }) => `  ${senderId} in ${conversationId}: ${text} (${key})`);
  const has = lines.length > 0 ? `it has\n${lines.join("\n")}` : "it has none at all";
  return {
    pass,
    message: () =>
      `expected the backend ${not(state)}to have ${what} with ${state.utils.printExpected(fields)}; ${has}`,
  };
}

function messagesOf(shown: Shown): readonly Message[] {
  if ("getSnapshot" in shown) return shown.getSnapshot().messages;
  return "messages" in shown ? shown.messages : shown;
}

function not({ isNot }: MatcherState): string {
  return isNot ? "not " : "";
}
