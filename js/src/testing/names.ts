// A misspelt name would be taken for one that is left out, and the test would say nothing or the wrong thing.

import type { Refusal, TestBackendOptions } from "./backend.js";
import type { FrameFilter, Whose } from "./link.js";
import type { AcknowledgedOptions } from "./matchers.js";
import type { ReceivedMessage } from "./messages.js";

type Names<T> = Record<keyof T, true>;

/** What a filter, a refusal and a backend take, and what a received message has: each name of its type, and no other. */
const known = {
  options: {
    url: true,
    pingInterval: true,
    pingTimeout: true,
    maxPayload: true,
    plain: true,
  } satisfies Names<TestBackendOptions>,
  refusal: { code: true, message: true, retryAfterMs: true, times: true } satisfies Names<Refusal>,
  filter: {
    to: true,
    userId: true,
    event: true,
    answerTo: true,
    match: true,
    times: true,
  } satisfies Names<FrameFilter>,
  acknowledged: { timeoutMs: true } satisfies Names<AcknowledgedOptions>,
  whose: { userId: true } satisfies Names<Whose>,
  fields: {
    id: true,
    conversationId: true,
    senderId: true,
    text: true,
    type: true,
    key: true,
    metadata: true,
    replyTo: true,
    seq: true,
    status: true,
    reactions: true,
    createdAt: true,
    isEdited: true,
    isDeleted: true,
  } satisfies Names<ReceivedMessage>,
};

/** @throws TypeError that names what is not known, and what there is. */
export function onlyKnown<T extends object>(what: keyof typeof known, where: string, given: T): T {
  const names = Object.keys(known[what]);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new TypeError(`${where}: there is no \`${unknown}\`; it takes ${names.join(", ")}`);
  return given;
}
