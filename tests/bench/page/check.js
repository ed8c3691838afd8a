// After the reload: all messages are there, once, in order.
import { idOf, textOf } from "../texts.js";

/** What is wrong with what the store holds; null if nothing is. */
export function problemOf({ texts, queued }, { userId, conversations, stored, queuedCount = 0 }) {
  for (let number = 0; number < conversations; number++) {
    const id = idOf(userId, number);
    const expected = Array.from({ length: stored }, (_, at) => textOf(number, at + 1));
    const found = texts[id] ?? [];
    if (found.length !== expected.length) return `${id}: ${found.length} of ${expected.length} messages`;
    const wrong = expected.findIndex((text, at) => text !== found[at]);
    if (wrong >= 0) return `${id}: message ${wrong + 1} is "${found[wrong]}"`;
  }
  if (queued.length !== queuedCount) return `${queued.length} of ${queuedCount} are queued`;
  return queued.every((text, at) => text === textOf(0, at + 1)) ? null : "the queue is out of order";
}
