// One tab of the crowd: the page in it, its client, and what it has told.
import { Client } from "../lib/client.mjs";
import { until } from "../lib/until.mjs";
import { ProtocolError } from "../tabs/protocol.mjs";

/** In a hidden tab each step may take a second. */
const knowledgePatienceMs = 10_000;
const now = () => performance.now();

export class Member {
  isFrozen = false;
  /** Until it has come out of its loop. */
  isHung = false;
  /** What its client said last of its connection, and when we heard it. */
  connection = { state: "idle", leader: false, heardAt: 0 };

  /** @param onFact hears `(member, fact)`: everything that its page tells. */
  static async open(browser, { number, url, options, onFact }) {
    const member = new Member();
    member.number = number;
    member.tab = await browser.newTab();
    await member.tab.listen((fact) => {
      member.#hear(fact);
      onFact(member, fact);
    });
    await member.tab.goto(url);
    await member.tab.until(`tab ${number} to be ready`, () => globalThis.harness !== undefined);
    member.client = await Client.on(member.tab, options);
    await member.client.connect();
    return member;
  }

  get isAlive() {
    return this.tab.isAlive;
  }

  get isAwake() {
    return this.isAlive && this.tab.isOpen && !this.isFrozen && !this.isHung;
  }

  /** It leads, and is online, by its own word. */
  get leads() {
    return this.isAwake && this.connection.leader && this.connection.state === "online";
  }

  async freeze() {
    this.isFrozen = true;
    await this.tab.freeze();
  }

  async thaw() {
    await this.tab.thaw();
    this.isFrozen = false;
  }

  /** Its page runs in a loop for so long; waits for nothing. A tab that goes meanwhile takes the loop along. */
  hang(ms) {
    this.isHung = true;
    const loop = (ms) => {
      const end = performance.now() + ms;
      while (performance.now() < end);
    };
    const isOver = () => {
      this.isHung = false;
    };
    this.tab.evaluate(loop, ms, { patienceMs: 2 * ms }).then(isOver, (error) => {
      isOver();
      if (!(error instanceof ProtocolError)) throw error;
    });
  }

  async reallyClose() {
    if (this.tab.isOpen) await this.tab.close();
    await until(`tab ${this.number} to be gone`, () => !this.tab.isOpen);
  }

  /** Calls `send` for each `[conversationId, text]`; waits for nothing. A tab that goes meanwhile takes them along. */
  async sendEach(rows) {
    try {
      await this.tab.evaluate((rows) => harness.sendEach(rows), rows);
    } catch (error) {
      if (!(error instanceof ProtocolError) || this.isAlive) throw error;
    }
  }

  /** `{number, leader, state, outbox, conversations}`; `{number, problem}` where it does not say so in time. */
  async knowledge(ids) {
    const { number } = this;
    try {
      const patienceMs = knowledgePatienceMs;
      const known = await this.tab.evaluate((ids) => harness.knowledge(ids), ids, { patienceMs });
      return { number, ...known };
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const windows = this.tab.evaluate(() => JSON.stringify(harness.windows()), null, { patienceMs: 1_000 });
      const state = await windows.catch(() => "it does not run");
      return { number, problem: `${error.message}; ${state}` };
    }
  }

  #hear({ kind, state, reason, leader }) {
    if (kind === "connection") this.connection = { state, reason, leader, heardAt: now() };
  }
}
