// The link between clients and the backend: what of a frame arrives, when, and how often. It is the test's to play.

import { onlyKnown } from "./names.js";
import { tellPage } from "./page.js";

/** Which way: to the server, or to the client. */
export type Direction = "server" | "client";

/** A frame on its way, as a rule of the link sees it. */
export type LinkFrame = {
  to: Direction;
  userId: string | null;
  /** The event that it carries; null for handshakes, heartbeats and answers. */
  event: string | null;
  /** The event that it answers. */
  answerTo: string | null;
  /** The event's or the answer's payload. */
  payload: unknown;
};

/** Which frames a rule is about; what is left out is not asked for. Heartbeats and handshakes have no `event` and no `answerTo`. */
export type FrameFilter = {
  to?: Direction;
  userId?: string;
  event?: string;
  answerTo?: string;
  match?: (frame: LinkFrame) => boolean;
  /** How many of them (1). */
  times?: number;
};

type Rule = { filter: FrameFilter; left: number; kind: "drop" | "duplicate" };

/** What the link can do to the connections that it carries. */
export type Carried = {
  readonly userId: string | null;
  /** Ends as a dead network does: 1006 at the client. */
  cut(): void;
  /** From now on nothing arrives, on either side, and nobody is told. */
  deafen(): void;
};

/** Who, of all that are connected; left out: everyone. */
export type Whose = { userId?: string };

/** The link of a backend: everything is as on a good one until a test says otherwise. */
export class Link {
  readonly #carried = new Set<Carried>();
  #rules: Rule[] = [];
  #latency: () => number = () => 0;
  #refusals = 0;
  #offline = false;
  #moving = 0;

  /** From now on each frame and each request takes this long, each way; a function is asked for each. Timers that are faked count. */
  latency(ms: number | (() => number)): void {
    this.#latency = typeof ms === "function" ? ms : () => ms;
  }

  /** The next frames of this kind do not arrive. */
  drop(filter: FrameFilter = {}): void {
    onlyKnown("filter", "link.drop()", filter);
    this.#rules.push({ filter, left: filter.times ?? 1, kind: "drop" });
  }

  /** The next frames of this kind arrive twice. */
  duplicate(filter: FrameFilter = {}): void {
    onlyKnown("filter", "link.duplicate()", filter);
    this.#rules.push({ filter, left: filter.times ?? 1, kind: "duplicate" });
  }

  /** The server has the next messages, and its answers to them are lost. */
  loseAnswers(times = 1): void {
    this.drop({ to: "client", answerTo: "chat:message_send", times });
  }

  /** Connections that are there say nothing more, and nobody is told; new ones are as usual. Gives how many. */
  halfOpen(whose: Whose = {}): number {
    onlyKnown("whose", "link.halfOpen()", whose);
    return this.#each(whose, (connection) => connection.deafen());
  }

  /** Connections end without a word. Gives how many. */
  cut(whose: Whose = {}): number {
    onlyKnown("whose", "link.cut()", whose);
    return this.#each(whose, (connection) => connection.cut());
  }

  /** The next connections are refused as by a server that is not there. */
  refuseConnections(times = 1): void {
    this.#refusals += times;
  }

  /** No network: connections end, none is made, requests fail. Where there is a `window`, it is told as by a browser. */
  offline(): void {
    if (this.#offline) return;
    this.#offline = true;
    tellPage(this, false);
    this.cut();
  }

  /** The network is back. */
  online(): void {
    if (!this.#offline) return;
    this.#offline = false;
    tellPage(this, true);
  }

  /** Everything as on a good link again; what is on its way stays there. */
  heal(): void {
    this.#rules = [];
    this.#latency = () => 0;
    this.#refusals = 0;
    this.online();
  }

  /** Between `offline()` and `online()`. */
  get isOffline(): boolean {
    return this.#offline;
  }

  /** Whether the next connection comes about. */
  get takesConnections(): boolean {
    return !this.#offline && this.#refusals === 0;
  }

  /** Frames and requests on their way. */
  get moving(): number {
    return this.#moving;
  }

  // ── asked by those who carry ──────────────────────────────────────────────

  /** @internal A connection that is there. */
  add(connection: Carried): void {
    this.#carried.add(connection);
  }

  /** @internal One that has ended. */
  remove(connection: Carried): void {
    this.#carried.delete(connection);
  }

  /** @internal Whether a new connection comes about. */
  takeConnection(): boolean {
    if (this.#offline) return false;
    if (this.#refusals === 0) return true;
    this.#refusals -= 1;
    return false;
  }

  /** @internal How often this frame arrives: 0, 1 or 2. */
  copies(frame: LinkFrame): number {
    const rule = this.#rules.find(({ filter }) => isAbout(filter, frame));
    if (!rule) return 1;
    rule.left -= 1;
    if (rule.left <= 0) this.#rules = this.#rules.filter((other) => other !== rule);
    return rule.kind === "drop" ? 0 : 2;
  }

  /** @internal Something sets out; `done` is called when it has arrived. */
  depart(): { passage: Promise<void>; done: () => void } {
    this.#moving += 1;
    const ms = this.#latency();
    // Without latency in the same task: a clock that is faked cannot pass meanwhile.
    const passage = ms > 0 ? new Promise<void>((resolve) => void setTimeout(resolve, ms)) : Promise.resolve();
    let isUnder = true;
    const done = () => {
      if (isUnder) this.#moving -= 1;
      isUnder = false;
    };
    return { passage, done };
  }

  /** @internal Once over the link; resolves when it has arrived. */
  async pass(): Promise<void> {
    const { passage, done } = this.depart();
    await passage;
    done();
  }

  #each({ userId }: Whose, act: (connection: Carried) => void): number {
    const all = [...this.#carried].filter((one) => userId === undefined || one.userId === userId);
    for (const connection of all) act(connection);
    return all.length;
  }
}

function isAbout(filter: FrameFilter, frame: LinkFrame): boolean {
  const { to, userId, event, answerTo, match } = filter;
  if (frame.event === null && frame.answerTo === null && !match) return false;
  return (
    (to === undefined || to === frame.to) &&
    (userId === undefined || userId === frame.userId) &&
    (event === undefined || event === frame.event) &&
    (answerTo === undefined || answerTo === frame.answerTo) &&
    (match === undefined || match(frame))
  );
}
