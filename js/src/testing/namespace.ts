// The server's end: Engine.IO and Socket.IO over the link, with the part of the official server's interface that is used.
import type { Carried, Direction, Link } from "./link.js";
import type { TestSocket } from "./socket.js";

type Handler = (...args: unknown[]) => void;
type Middleware = (connection: Connection, next: (error?: Error & { data?: unknown }) => void) => void;

export type Heartbeat = { pingInterval: number; pingTimeout: number; maxPayload: number };

/** The one namespace, `/`. */
export class Namespace {
  readonly adapter = { rooms: new Map<string, Set<Connection>>() };
  readonly connections = new Set<Connection>();
  #guard: Middleware = (_, next) => next();
  #onConnection: (connection: Connection) => void = () => {};
  #made = 0;

  constructor(
    readonly link: Link,
    readonly heartbeat: Heartbeat,
  ) {}

  use(guard: Middleware): void {
    this.#guard = guard;
  }

  on(_event: "connection", handle: (connection: Connection) => void): void {
    this.#onConnection = handle;
  }

  to(room: string): { emit(event: string, payload: unknown): void } {
    const emit = (event: string, payload: unknown) => {
      for (const connection of this.adapter.rooms.get(room) ?? []) connection.emit(event, payload);
    };
    return { emit };
  }

  /** A client has come: the link decides if it gets through. */
  async accept(socket: TestSocket): Promise<void> {
    await this.link.pass();
    if (!this.link.takeConnection()) return socket.closed(1006);
    this.#made += 1;
    const connection = new Connection(this, socket, `socket-${this.#made}`);
    this.connections.add(connection);
    connection.begin();
  }

  admit(connection: Connection, answer: (error?: Error & { data?: unknown }) => void): void {
    this.#guard(connection, (error) => {
      answer(error);
      if (!error) this.#onConnection(connection);
    });
  }

  forget(connection: Connection): void {
    this.connections.delete(connection);
    for (const [room, members] of this.adapter.rooms) {
      if (members.delete(connection) && members.size === 0) this.adapter.rooms.delete(room);
    }
  }
}

/** One client's connection. */
export class Connection implements Carried {
  readonly data: { userId?: string } = {};
  readonly handshake: { auth: { token?: unknown } | undefined } = { auth: undefined };
  readonly #handlers = new Map<string, Handler>();
  readonly #asked = new Map<string, string>();
  #pipes: Record<Direction, Promise<void>> = { server: Promise.resolve(), client: Promise.resolve() };
  #isOver = false;
  #isDeaf = false;
  #isLossy = false;
  #ping: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly namespace: Namespace,
    readonly socket: TestSocket,
    readonly id: string,
  ) {}

  get userId(): string | null {
    return this.data.userId ?? null;
  }

  begin(): void {
    this.namespace.link.add(this);
    this.socket.opened({ send: (data) => this.#fromClient(data), close: () => this.#end() });
    this.#give(`0${JSON.stringify({ sid: this.id, upgrades: [], ...this.namespace.heartbeat })}`);
    this.#beat();
  }

  join(room: string): void {
    const { rooms } = this.namespace.adapter;
    rooms.set(room, (rooms.get(room) ?? new Set()).add(this));
  }

  on(event: string, handler: Handler): void {
    this.#handlers.set(event, handler);
  }

  emit(event: string, ...args: unknown[]): void {
    this.#give(`42${JSON.stringify([event, ...args])}`, { event, payload: args[0] });
  }

  /** Says DISCONNECT, as a server that sends a client away. */
  disconnect(): void {
    this.#give("41");
  }

  cut(): void {
    if (this.#isOver) return;
    this.#end();
    this.socket.closed(1006);
  }

  deafen(): void {
    this.#isDeaf = true;
    clearTimeout(this.#ping);
  }

  /** Something was lost: whoever waits for it waits until its time is over. */
  get isLossy(): boolean {
    return this.#isLossy || this.#isDeaf;
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#ping);
    this.namespace.link.remove(this);
    this.namespace.forget(this);
    this.#handlers.get("disconnect")?.();
  }

  #beat(): void {
    this.#ping = setTimeout(() => {
      this.#give("2");
      this.#beat();
    }, this.namespace.heartbeat.pingInterval);
    // A test that forgets to close holds up no process.
    const timer = this.#ping as unknown as number | { unref?(): void };
    if (typeof timer === "object") timer.unref?.();
  }

  #give(text: string, about: { event?: string; answerTo?: string; payload?: unknown } = {}): void {
    this.#carry("client", about, () => this.socket.received(text));
  }

  #fromClient(data: unknown): void {
    const text = String(data);
    const [, type, ackId, json] = /^4([0-6])(?:\/,)?(\d*)(.*)$/s.exec(text) ?? [];
    if (type !== "2" || json === undefined) {
      this.#carry("server", {}, () => this.#hear(text, type, json));
      return;
    }
    const [event, ...args] = JSON.parse(json) as [string, ...unknown[]];
    this.#carry("server", { event, payload: args[0] }, () => this.#handle(event, args, ackId));
  }

  #hear(text: string, type: string | undefined, json: string | undefined): void {
    if (text === "1" || type === "1") this.cut();
    if (type !== "0") return;
    this.handshake.auth = json ? (JSON.parse(json) as { token?: unknown }) : undefined;
    this.namespace.admit(this, (error) => {
      if (error) this.#give(`44${JSON.stringify({ message: error.message, data: error.data })}`);
      else this.#give(`40${JSON.stringify({ sid: this.id })}`);
    });
  }

  #handle(event: string, args: unknown[], ackId: string | undefined): void {
    const handler = this.#handlers.get(event);
    if (!handler) return;
    if (!ackId) {
      handler(...args);
      return;
    }
    this.#asked.set(ackId, event);
    handler(...args, (payload: unknown) => {
      // Once, as the official server does.
      if (!this.#asked.delete(ackId)) return;
      this.#give(`43${ackId}${JSON.stringify([payload])}`, { answerTo: event, payload });
    });
  }

  /** In the order in which they set out, each way. */
  #carry(
    to: Direction,
    about: { event?: string; answerTo?: string; payload?: unknown },
    arrive: () => void,
  ): void {
    const { link } = this.namespace;
    const { event = null, answerTo = null, payload } = about;
    const frame = { to, userId: this.userId, event, answerTo, payload };
    const copies = this.#isDeaf || this.#isOver ? 0 : link.copies(frame);
    if (copies === 0) {
      this.#isLossy = true;
      return;
    }
    const { passage, done } = link.depart();
    const before = this.#pipes[to];
    this.#pipes[to] = (async () => {
      await Promise.all([before, passage]);
      try {
        for (let copy = 0; copy < copies && !this.#isOver && !this.#isDeaf; copy++) arrive();
      } finally {
        done();
      }
    })();
  }
}
