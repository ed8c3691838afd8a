// A client in a page, driven from the test. Waiting is always for a condition in the page.
import assert from "node:assert/strict";
import { inTime, until } from "./until.mjs";

/** How long a page may take to say what it last saw, when it has not done what it was asked for. */
const lastWordMs = 5_000;

/** What the client in the page rejected with. */
class PageError extends Error {
  constructor({ message, ...rest }) {
    super(message);
    Object.assign(this, rest);
  }
}

export class Client {
  constructor(page, options) {
    this.page = page;
    this.options = options;
  }

  /** Opens a client on a page that is there. It is not connected yet. */
  static async on(page, options) {
    const client = new Client(page, options);
    const { error } = await client.#ask("a client", (options) => harness.create(options), options);
    if (error) throw new PageError(error);
    return client;
  }

  get userId() {
    return this.options.userId;
  }

  /** A method of the public API. */
  async call(method, ...args) {
    const { value, error } = await this.#ask(
      `an answer to ${method}()`,
      ([method, args]) => harness.call(method, ...args),
      [method, args],
    );
    if (error) throw new PageError(error);
    return value;
  }

  connect() {
    return this.call("connect");
  }

  send(conversationId, content, options = {}) {
    return this.call("send", conversationId, content, options);
  }

  connection() {
    return this.page.evaluate(() => harness.connection());
  }

  timeline(conversationId) {
    return this.page.evaluate((id) => harness.timeline(id), conversationId);
  }

  whole(conversationId) {
    return this.#ask(`all of ${conversationId}`, (id) => harness.loadWhole(id), conversationId);
  }

  facts(kind) {
    return this.page.evaluate((kind) => harness.facts.filter((fact) => fact.kind === kind), kind);
  }

  async events(name) {
    return this.page.evaluate(
      (name) => harness.events.filter(({ event }) => event === name).map(({ args }) => args),
      name,
    );
  }

  /** Waits until `isTrue(argument)`, evaluated in the page and perhaps asynchronous, holds; says what it waited for. */
  until(what, isTrue, argument) {
    return until(
      () => this.#missed(what),
      () => this.#ask(what, isTrue, argument),
    );
  }

  /** Until the client is in this phase; nothing is asked of the page meanwhile. */
  untilPhase(phase) {
    return this.#ask(`phase ${phase}`, (phase) => harness.untilPhase(phase), phase);
  }

  /** Until this many `message` events have come; nothing is asked of the page meanwhile. */
  untilTold(count) {
    return this.#ask(`${count} messages told`, (count) => harness.untilTold(count), count);
  }

  /** Evaluates in the page. One that hangs ends the test with what it saw last. */
  #ask(what, act, argument) {
    return inTime(() => this.#missed(what), this.page.evaluate(act, argument));
  }

  async #missed(what) {
    return `${what}\n${await inTime("its last word", this.#seen(), { patienceMs: lastWordMs }).catch(String)}`;
  }

  async #seen() {
    const [state, events, windows] = await this.page.evaluate(() => [
      { connection: harness.connection(), conversations: harness.conversations().length },
      harness.events.slice(-12),
      harness.openWindows().filter(({ loading }) => loading),
    ]);
    const told = events.map(({ event, args }) => `  ${event} ${JSON.stringify(args).slice(0, 300)}`);
    return [JSON.stringify(state), ...windows.map((window) => JSON.stringify(window)), ...told].join("\n");
  }

  untilState(state) {
    return this.until(`state ${state}`, (state) => harness.connection().state === state, state);
  }

  untilConversation(id) {
    return this.until(`conversation ${id}`, (id) => harness.conversation(id) !== null, id);
  }

  /** Until nothing of the user's own waits any more (and nothing is kept as failed). */
  async untilFlushed(conversationIds) {
    for (const id of conversationIds) {
      await this.until(
        `everything in ${id} acknowledged`,
        (id) => {
          const { messages, loading } = harness.timeline(id);
          const done = ["acknowledged", "delivered", "read"];
          return !loading && messages.every((m) => m.sender !== "me" || done.includes(m.status));
        },
        id,
      );
    }
    assert.deepEqual(await this.call("outbox"), []);
  }

  /** The whole history, not the window alone. */
  untilCount(conversationId, count) {
    return this.until(
      `${count} messages in ${conversationId}`,
      async ([id, count]) => (await harness.loadWhole(id)).messages.length >= count,
      [conversationId, count],
    );
  }
}

/** Options that come back fast, for tests that end connections. */
export function swift(url, login, rest = {}) {
  return {
    url,
    profile: "team",
    userId: login.id,
    login,
    reconnect: { baseDelayMs: 50, maxDelayMs: 400 },
    ...rest,
  };
}
