// After a round: has every send() that had resolved met the fate that its wire promises? Gives the violations as sentences.

const settled = ["acknowledged", "delivered", "read"];
const numberOf = (text) => Number(text.split("/")[1]);

export function violationsOfLog(conversationId, log, resolved) {
  const found = [];
  const counts = new Map();
  for (const { client_message_id: key } of log) counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const { key, text } of resolved) {
    const count = counts.get(key) ?? 0;
    if (count !== 1) found.push(`${text} in ${conversationId}: ${count} times on the server`);
  }
  for (const [key, count] of counts) {
    if (count > 1) found.push(`key ${key} in ${conversationId}: ${count} times on the server`);
  }
  for (let i = 1; i < log.length; i++) {
    const [before, now] = [log[i - 1].text, log[i].text];
    if (numberOf(now) <= numberOf(before)) found.push(`${conversationId}: ${now} stands behind ${before}`);
  }
  return found;
}

export function violationsOfTimeline(conversationId, { messages }, log) {
  const found = [];
  const [seen, held] = [messages.map(({ id }) => id), log.map(({ id }) => id)];
  if (seen.length !== held.length || seen.some((id, index) => id !== held[index])) {
    found.push(
      `${conversationId}: the timeline shows ${describe(messages)}, the server holds ${describe(log)}`,
    );
  }
  for (const { text, status } of messages) {
    if (!settled.includes(status)) found.push(`${text} in ${conversationId} is ${status} in the timeline`);
  }
  return found;
}

/** Where each is answered and keys are kept: on the server exactly once and in order, and its sender sees it once, acknowledged. */
export function violationsOfKept(conversationId, { log, messages, resolved }) {
  return [
    ...violationsOfLog(conversationId, log, resolved),
    ...violationsOfTimeline(conversationId, { messages }, log),
  ];
}

/**
 * Where answers or keys are missing: each message once at most and in order, and what is not stored is shown and says that
 * nobody knows, or claims no more than that it has left the page, which it has.
 * @param isAnswered by a wire with answers: it claims no less than that either.
 */
export function violationsOfFates(
  conversationId,
  { log, messages, resolved, left },
  { isAnswered = false } = {},
) {
  // The log may have nothing but texts to know a message by.
  const found = violationsOfLog(conversationId, log.map(byText), []);
  const stored = new Set(log.map(({ text }) => text));
  const shown = new Map(messages.map((message) => [message.text, message]));
  if (shown.size !== messages.length) found.push(`${conversationId}: a message stands twice in the timeline`);
  for (const { key, text } of resolved) {
    const { status, failure } = shown.get(text) ?? { status: "not shown" };
    const isUnknown = (status === "sent" && !isAnswered) || failure?.code === "unconfirmed";
    const what = `${text} in ${conversationId} is ${status}${failure ? ` (${failure.code})` : ""}`;
    if (stored.has(text) && !isUnknown && !settled.includes(status)) found.push(`${what} and stored`);
    if (!stored.has(text) && !isUnknown) found.push(`${what} and not stored`);
    // Unconfirmed it may be: the mark is stored before the frame goes out.
    if (status === "sent" && !left.has(key) && !stored.has(text))
      found.push(`${what} and never left the page`);
  }
  return found;
}

const byText = (row) => ({ ...row, client_message_id: row.text });

/** How many the server has; how many it has not and the page calls sent; of how many the page says that nobody knows. */
export function fatesOf({ log, messages }) {
  const stored = new Set(log.map(({ text }) => text));
  const unconfirmed = messages.filter(({ failure }) => failure?.code === "unconfirmed");
  const lost = messages.filter((message) => !stored.has(message.text) && !unconfirmed.includes(message));
  return { stored: stored.size, lost: lost.length, unconfirmed: unconfirmed.length };
}

function describe(rows) {
  const numbers = rows.map(({ text }) => numberOf(text));
  return `${rows.length} rows (${numbers.slice(0, 3).join(", ")} … ${numbers.slice(-3).join(", ")})`;
}
