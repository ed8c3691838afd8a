// After a round: what was accepted is on the server once and in order, and all tabs that live agree with it and with each
// other. Gives the violations as sentences.

const settled = ["acknowledged", "delivered", "read"];
const atMost = 8;

/**
 * @param log what the server holds of one conversation, in its order: `[{id, text}]`.
 * @param sent what was sent to it: `[{text, tab, calledAt, resolvedAt}]` in the order of the calls within each tab;
 * `resolvedAt` is undefined where the promise was never seen to resolve.
 */
export function violationsOfLog(id, log, sent) {
  const found = [];
  const places = new Map();
  for (const [place, { text }] of log.entries()) places.set(text, [...(places.get(text) ?? []), place]);
  for (const [text, at] of places) if (at.length > 1) found.push(`${text} in ${id}: ${at.length} times`);
  for (const { text, resolvedAt } of sent) {
    if (resolvedAt !== undefined && !places.has(text)) found.push(`${text} in ${id}: not on the server`);
  }
  const placed = sent.flatMap((row) => (places.has(row.text) ? { ...row, at: places.get(row.text)[0] } : []));
  for (const later of placed) {
    for (const earlier of placed) {
      if (later.at < earlier.at && isAccepted(earlier, later)) found.push(outOfOrder(id, earlier, later));
    }
  }
  return found;
}

/**
 * Was `earlier` accepted before `later`? Within a tab the order of the calls says so; across tabs only that one had
 * resolved before the other was called.
 */
function isAccepted(earlier, later) {
  if (earlier.tab === later.tab) return earlier.call < later.call;
  return earlier.resolvedAt !== undefined && earlier.resolvedAt < later.calledAt;
}

function outOfOrder(id, earlier, later) {
  const of = ({ text, tab, at }) => `${text} (tab ${tab}, place ${at})`;
  return `${id}: ${of(later)} stands before ${of(earlier)}, which was accepted first`;
}

/**
 * @param all what each tab that lives knows: `[{number, leader, state, outbox, conversations}]`, or its `problem`.
 * @param logs what the server holds: conversation → `[{id, text, isMine}]`.
 */
export function disagreements(all, logs) {
  const found = all.flatMap(({ number, problem }) => (problem ? [`tab ${number}: ${problem}`] : []));
  const views = all.filter(({ problem }) => problem === undefined);
  const leaders = views.filter(({ leader }) => leader);
  if (leaders.length !== 1) found.push(`tabs that lead: ${leaders.map(numberOf).join(", ") || "none"}`);
  for (const { number, state } of leaders)
    if (state !== "online") found.push(`tab ${number} leads, ${state}`);
  for (const { number, outbox } of views) {
    if (outbox.length > 0) found.push(`tab ${number}: in the outbox ${some(outbox)}`);
  }
  for (const [id, log] of Object.entries(logs)) {
    for (const view of views)
      found.push(...violationsOfTimeline(view.number, id, view.conversations[id], log));
    found.push(...differences(views, id, log));
  }
  return found;
}

function violationsOfTimeline(number, id, { rows, hasEarlier, error }, log) {
  const found = [];
  const where = `tab ${number}, ${id}`;
  if (error !== null) found.push(`${where}: error ${error}`);
  if (hasEarlier) found.push(`${where}: not the whole history`);
  const wrong = rows.findIndex(([rowId, text], at) => rowId !== log[at]?.id || text !== log[at]?.text);
  if (wrong >= 0) found.push(`${where}: row ${wrong} is ${rows[wrong]}, on the server ${log[wrong]?.text}`);
  else if (rows.length < log.length) {
    found.push(
      `${where}: ${rows.length} rows, missing ${some(log.slice(rows.length).map(({ text }) => text))}`,
    );
  }
  const open = rows.filter(([, , status, sender]) => sender === "me" && !settled.includes(status));
  if (open.length > 0) found.push(`${where}: own messages ${some(open.map(([, t, s]) => `${t} ${s}`))}`);
  return found;
}

/** In statuses, and in unread counts: nobody has read what others wrote. What stands in the rows is compared with the server. */
function differences(views, id, log) {
  const [first] = views;
  const statusOf = new Map(first?.conversations[id].rows.map(([rowId, , status]) => [rowId, status]));
  const found = [];
  for (const { number, conversations } of views) {
    const { rows, unread } = conversations[id];
    const apart = rows.filter(([rowId, , status]) => statusOf.has(rowId) && statusOf.get(rowId) !== status);
    if (apart.length > 0) {
      const texts = some(apart.map(([, text]) => text));
      found.push(`tabs ${first.number} and ${number}, ${id}: other statuses of ${texts}`);
    }
    const ofOthers = log.filter(({ isMine }) => !isMine).length;
    if (unread !== ofOthers) found.push(`tab ${number}, ${id}: ${unread} unread, others wrote ${ofOthers}`);
  }
  return found;
}

const numberOf = ({ number }) => number;

function some(texts) {
  const more = texts.length - atMost;
  return texts.slice(0, atMost).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
