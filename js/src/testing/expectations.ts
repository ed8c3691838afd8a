// The matchers as they stand behind `expect(…).`, for the types of both runners.
import type { Status } from "../types.js";
import type { AcknowledgedOptions } from "./matchers.js";
import type { ReceivedMessage } from "./messages.js";

/** What `expect(…)` knows of chatwire, for the types of a runner. */
export interface ChatMatchers<R = unknown> {
  /** Of a backend: it has at least one message with these fields. */
  toHaveReceived(fields: Partial<Expected<ReceivedMessage>>): R;
  /** Of a backend: it has exactly one. */
  toHaveReceivedOnce(fields: Partial<Expected<ReceivedMessage>>): R;
  /** Of a message. */
  toHaveStatus(status: Status): R;
  /** Of a client, to be awaited: one of its own messages, or the key of one. Fails after `timeoutMs` (4,000). */
  toBeAcknowledged(message: string | { key: string | null }, options?: AcknowledgedOptions): Promise<R>;
  /** Of a client. */
  toBeConnected(): R;
  /** Of a timeline, its snapshot, what `useChat` gives, or a list of messages: these texts in this order. */
  toShow(texts: readonly unknown[]): R;
}

/** The fields of something, where asymmetric matchers (`expect.stringContaining(…)`) may stand for a value. */
// biome-ignore lint/suspicious/noExplicitAny: what `expect.stringContaining` gives is of the type `any`, in both runners
export type Expected<T> = { [K in keyof T]: T[K] | any };
