// A client in a page, driven from the test. Waiting is always for a condition in the page.
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";

const patienceMs = 30_000;
const pollMs = 20;

/** What the client in the page rejected with. */
export class PageError extends Error {
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
    const { error } = await page.evaluate((options) => harness.create(options), options);
    if (error) throw new PageError(error);
    return client;
  }

  get userId() {
    return this.options.userId;
  }

  /** A method of the public API. */
  async call(method, ...args) {
    const { value, error } = await this.page.evaluate(
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
    return this.page.evaluate((id) => harness.loadWhole(id), conversationId);
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
  async until(what, isTrue, argument) {
    const end = performance.now() + patienceMs;
    while (!(await this.page.evaluate(isTrue, argument))) {
      if (performance.now() > end) throw new Error(`waited for ${what}\n${await this.#seen()}`);
      await setTimeout(pollMs);
    }
  }

  async #seen() {
    const [state, events] = await this.page.evaluate(() => [
      { connection: harness.connection(), conversations: harness.conversations().length },
      harness.events.slice(-12),
    ]);
    const told = events.map(({ event, args }) => `  ${event} ${JSON.stringify(args).slice(0, 300)}`);
    return `${JSON.stringify(state)}\n${told.join("\n")}`;
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
