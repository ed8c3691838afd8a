// The browser's end of a connection in memory: a WebSocket as an application sees it.
type Listener = ((event: SocketEvent) => void) | { handleEvent(event: SocketEvent): void };
type SocketEvent = { type: string; target: TestSocket; [field: string]: unknown };

/** What carries the frames of a socket. */
export type Carrier = {
  send(data: unknown): void;
  /** The client has closed. */
  close(code: number, reason: string): void;
};

const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];

/** Events of its own, and not the environment's: jsdom has other ones than Node. */
export class TestSocket {
  readonly CONNECTING = CONNECTING;
  readonly OPEN = OPEN;
  readonly CLOSING = CLOSING;
  readonly CLOSED = CLOSED;
  readonly bufferedAmount = 0;
  readonly extensions = "";
  binaryType = "blob";
  readyState = CONNECTING;
  protocol = "";
  onopen: Listener | null = null;
  onmessage: Listener | null = null;
  onerror: Listener | null = null;
  onclose: Listener | null = null;
  readonly #listeners: { type: string; listener: Listener; once: boolean }[] = [];
  #carrier: Carrier | undefined;

  constructor(readonly url: string) {}

  addEventListener(type: string, listener: Listener, options?: { once?: boolean } | boolean): void {
    const once = typeof options === "object" && options.once === true;
    this.#listeners.push({ type, listener, once });
  }

  removeEventListener(type: string, listener: Listener): void {
    const at = this.#listeners.findIndex((one) => one.type === type && one.listener === listener);
    if (at >= 0) this.#listeners.splice(at, 1);
  }

  send(data: unknown): void {
    if (this.readyState === CONNECTING) throw new DOMException("still connecting", "InvalidStateError");
    if (this.readyState === OPEN) this.#carrier?.send(data);
  }

  close(code = 1005, reason = ""): void {
    if (this.readyState >= CLOSING) return;
    this.readyState = CLOSING;
    this.#carrier?.close(code, reason);
    this.closed(code, reason, true);
  }

  // ── what the link does ────────────────────────────────────────────────────

  opened(carrier: Carrier): void {
    if (this.readyState !== CONNECTING) return;
    this.#carrier = carrier;
    this.readyState = OPEN;
    this.#tell("open", {});
  }

  received(data: string): void {
    if (this.readyState === OPEN) this.#tell("message", { data });
  }

  closed(code: number, reason = "", wasClean = false): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    queueMicrotask(() => {
      if (!wasClean) this.#tell("error", {});
      this.#tell("close", { code, reason, wasClean });
    });
  }

  #tell(type: "open" | "message" | "error" | "close", fields: object): void {
    const event: SocketEvent = { type, target: this, ...fields };
    const own = this[`on${type}`];
    const told = this.#listeners.filter((one) => one.type === type);
    for (const one of told) if (one.once) this.removeEventListener(type, one.listener);
    for (const listener of [own, ...told.map((one) => one.listener)]) {
      if (typeof listener === "function") listener.call(this, event);
      else listener?.handleEvent(event);
    }
  }
}
