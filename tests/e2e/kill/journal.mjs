// What the page has told up to a moment, by message key. A report is flushed as it is made, so what stands here did
// happen; what a killed browser could not tell any more is missing, never wrong.

import { inTime } from "../lib/until.mjs";

/** What a message is once its answer is committed. Without answers its frame is enough: `sent` comes first then. */
export const settledKinds = ["acknowledged", "delivered", "read"];
export const leftKinds = ["sent", ...settledKinds];

/** Where there was a database the browser has made one: it has thrown away what it had (js/src/wake.ts). */
export const isLoss = ({ kind, name }) => kind === "databaseMade" && name.startsWith("chatwire-");

export class Journal {
  facts = [];
  #waiting = [];
  /** How many facts there were when the page was killed. */
  #killedAt;

  /** Takes a fact in; whoever waits for it goes on. */
  add(fact) {
    this.facts.push(fact);
    this.#waiting = this.#waiting.filter(({ isTrue, resolve }) => {
      if (!isTrue(this)) return true;
      resolve();
      return false;
    });
  }

  /** Resolves as soon as the journal is as wanted. */
  until(isTrue) {
    const wanted = new Promise((resolve) => {
      if (isTrue(this)) resolve();
      else this.#waiting.push({ isTrue, resolve });
    });
    const last = () => this.facts.slice(-8).map((fact) => JSON.stringify(fact));
    return inTime(() => [`what ${isTrue} says; told last:`, ...last()].join("\n"), wanted);
  }

  /** The journal as it was when it held so many facts. */
  upTo(length) {
    const past = new Journal();
    past.facts = this.facts.slice(0, length);
    return past;
  }

  /** The browser was killed: what its page did last it may not have told any more. */
  endPage() {
    this.#killedAt = this.facts.length;
  }

  /**
   * The keys of messages that have left the page, or may have: what a killed page did last is untold. Each conversation goes
   * in order: that is behind the last one that it has told, and before the first one that the next page tells.
   */
  mayHaveLeft() {
    const left = this.keys(["frameOut"]);
    if (this.#killedAt === undefined) return left;
    const before = this.upTo(this.#killedAt).keys(["frameOut"]);
    for (const keys of this.#inOrder().values()) {
      const last = keys.findLastIndex((key) => before.has(key));
      for (const key of keys.slice(last + 1)) {
        if (left.has(key)) break;
        left.add(key);
      }
    }
    return left;
  }

  #inOrder() {
    const ofConversations = new Map();
    for (const { key, conversationId } of this.resolved()) {
      ofConversations.set(conversationId, [...(ofConversations.get(conversationId) ?? []), key]);
    }
    return ofConversations;
  }

  count(kind) {
    return this.facts.filter((fact) => fact.kind === kind).length;
  }

  /** The keys of these kinds of facts, told up to `at`. */
  keys(kinds, at = Number.POSITIVE_INFINITY) {
    return new Set(
      this.facts.filter((fact) => kinds.includes(fact.kind) && fact.at <= at).map(({ key }) => key),
    );
  }

  /** The keys of messages whose frame left on the connection there was at `at`: one that was lost takes its frames along. */
  onWire(at = Number.POSITIVE_INFINITY) {
    const told = this.facts.filter((fact) => fact.at <= at);
    const lost = told.findLastIndex((fact) => fact.kind === "socketClosed");
    const frames = told.slice(lost + 1).filter((fact) => fact.kind === "frameOut");
    return new Set(frames.map(({ key }) => key));
  }

  /** Every `send()` that has resolved: `{key, conversationId, text}`. */
  resolved() {
    return this.facts.filter((fact) => fact.resolved);
  }

  /** Messages that had left the page and had no answer yet. */
  open() {
    const answered = this.keys(["answerIn", ...settledKinds]);
    return [...this.onWire()].filter((key) => !answered.has(key));
  }
}

/**
 * How far each message was when the browser was killed. Its store says which ones it did not know to be answered: the
 * rows that the outbox gives back after the restart, before any connection.
 */
export function classifyByStore(journal, restoredKeys) {
  const [left, answered, onWire] = [journal.keys(["frameOut"]), journal.keys(["answerIn"]), journal.onWire()];
  const is = { unsent: 0, inFlight: 0, uncommitted: 0 };
  for (const key of restoredKeys) {
    if (answered.has(key)) is.uncommitted += 1;
    else if (onWire.has(key)) is.inFlight += 1;
    // What had been on the wire of a connection that was lost before is neither.
    else if (!left.has(key)) is.unsent += 1;
  }
  return is;
}

/**
 * How far each message was when the server was killed at `toldAt`; the browser lived on and has told everything. An
 * answer that came in before the loss was seen (`lostAt`) had left before the kill. It counts as not committed only if
 * no transaction of the outbox that was begun after it was complete by then. `toldAt` is late rather than early where
 * the server ended itself: so these counts are too low rather than too high.
 * @param doneKinds what a message is that is done with.
 */
export function classifyByTime(journal, toldAt, lostAt, doneKinds = settledKinds) {
  // The loss was seen after the kill.
  const at = Math.min(toldAt, lostAt - 0.001);
  const [left, settled] = [journal.keys(["frameOut"], at), journal.keys(doneKinds, at)];
  const onWire = journal.onWire(at);
  const commits = journal.facts.filter((fact) => fact.kind === "commit" && fact.at <= at);
  const lastBegun = Math.max(0, ...commits.map(({ begunAt }) => begunAt));
  const answers = journal.facts.filter((fact) => fact.kind === "answerIn" && fact.at <= lostAt);
  const answeredAt = new Map(answers.map((fact) => [fact.key, fact.at]));
  const is = { unsent: 0, inFlight: 0, uncommitted: 0 };
  for (const key of journal.keys(["saved"], at)) {
    if (settled.has(key)) continue;
    if (answeredAt.has(key)) is.uncommitted += answeredAt.get(key) > lastBegun ? 1 : 0;
    else if (onWire.has(key)) is.inFlight += 1;
    else if (!left.has(key)) is.unsent += 1;
  }
  return is;
}
