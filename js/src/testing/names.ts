// A misspelt name would be taken for one that is left out, and the test would say nothing or the wrong thing.

/** What a filter, a refusal and a backend take, and what a received message has. */
const known = {
  options: ["url", "pingInterval", "pingTimeout", "maxPayload", "plain"],
  refusal: ["code", "message", "retryAfterMs", "times"],
  filter: ["to", "userId", "event", "answerTo", "match", "times"],
  whose: ["userId"],
  fields: [
    "id",
    "conversationId",
    "senderId",
    "text",
    "type",
    "key",
    "metadata",
    "replyTo",
    "seq",
    "status",
    "reactions",
    "createdAt",
    "isEdited",
    "isDeleted",
  ],
} as const;

/** @throws TypeError that names what is not known, and what there is. */
export function onlyKnown<T extends object>(what: keyof typeof known, where: string, given: T): T {
  const names: readonly string[] = known[what];
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new TypeError(`${where}: there is no \`${unknown}\`; it takes ${names.join(", ")}`);
  return given;
}
