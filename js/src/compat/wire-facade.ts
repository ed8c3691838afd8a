import type { ChatClient } from "../client.js";
import { Emitter, type Listener } from "../emitter.js";
import { type ChatError, check } from "../errors.js";
import type { WireContext } from "../wire.js";
import { Receipts } from "./receipts.js";
import { type FacadeOptions, Slot } from "./slot.js";

/**
 * What listeners of a backend's own event take is up to that event.
 * @inline
 */
// biome-ignore lint/suspicious/noExplicitAny: as above
type Any = any[];

/** The types above hold its parts together. */
type Own = Listener<never[]> & Listener<Any>;

/**
 * A socket as a guide's reader knows it: events by the backend's own names. Those that the core reads are told again in
 * the backend's shape; every other one comes as it is (C4), also before there is a client. Where the backend waits for an answer, a function
 * that gives it stands behind the values.
 */
export abstract class WireFacade<Events extends Record<string, unknown[]>> {
  protected readonly slot: Slot;
  protected readonly emitter = new Emitter<Events>();
  protected readonly receipts = new Receipts();
  readonly #others = new Emitter<Record<string, Any>>();
  /** What has been asked for of the backend's own events. */
  readonly #wanted = new Set<string>();
  #forward: ((event: string) => void) | undefined;

  protected constructor(
    facade: string,
    profile: "team" | "companion" | "channels",
    options: FacadeOptions,
    private readonly known: readonly (keyof Events & string)[],
    isTokenFixed = false,
  ) {
    this.slot = new Slot(facade, profile, options, (client) => this.#follow(client), isTokenFixed);
  }

  /** Tells what the core has read, in the backend's shape. What it gives takes its listeners off. */
  protected abstract watch(client: ChatClient): readonly (() => void)[];

  /** Hears every `event` from now on. The function returned takes the listener off again. */
  on<E extends keyof Events & string>(event: E, listener: Listener<Events[E]>): () => void;
  on(event: string, listener: Listener<Any>): () => void;
  on(event: string, listener: Listener<Any>): () => void {
    check.function("listener", listener);
    if (this.#isKnown(event)) return this.emitter.on(event, listener as Own);
    return this.#others.on(this.#want(event), listener);
  }

  /** Hears the next `event` only. The function returned takes the listener off again. */
  once<E extends keyof Events & string>(event: E, listener: Listener<Events[E]>): () => void;
  once(event: string, listener: Listener<Any>): () => void;
  once(event: string, listener: Listener<Any>): () => void {
    check.function("listener", listener);
    if (this.#isKnown(event)) return this.emitter.once(event, listener as Own);
    return this.#others.once(this.#want(event), listener);
  }

  /** Takes the oldest entry of this listener off; without one, every listener of `event`. */
  off(event: string, listener?: Listener<Any>): void {
    if (!listener) this.removeAllListeners(check.id("event", event));
    else if (this.#isKnown(event)) this.emitter.off(event, listener as Own);
    else this.#others.off(event, listener);
  }

  /** Takes every listener off, of `event` or of all events. */
  removeAllListeners(event?: string): void {
    if (event === undefined || this.#isKnown(event)) this.emitter.removeAllListeners(event);
    if (event === undefined || !this.#isKnown(event)) this.#others.removeAllListeners(event);
  }

  /** Whether the connection is there now. */
  get connected(): boolean {
    return this.slot.isOnline;
  }

  /** The server's id of this connection. */
  get id(): string | undefined {
    return this.slot.now()?.connection.socketId ?? undefined;
  }

  /** And stays so; what is queued waits for the next `connect()`. */
  disconnect(): void {
    this.slot.disconnect();
  }

  /** The client below, for what the guide did not have. */
  client(): Promise<ChatClient> {
    return this.slot.ready();
  }

  /** Ends the client; the next `connect()` makes another. */
  close(): Promise<void> {
    return this.slot.close();
  }

  /** What becomes of a call, as `emit` tells it: by `ack` (T3, H4), else what failed by `fail`. */
  protected answer(
    run: Promise<unknown>,
    ack: ((answer: unknown) => void) | undefined,
    fail: (error: ChatError) => void,
  ): void {
    run.then(
      (answer) => ack?.(answer),
      (error: ChatError) => (ack ? ack({ success: false, error: error.message }) : fail(error)),
    );
  }

  #isKnown(event: string): event is keyof Events & string {
    return (this.known as readonly string[]).includes(event);
  }

  #want(event: string): string {
    check.id("event", event);
    if (!this.#wanted.has(event)) {
      this.#wanted.add(event);
      this.#forward?.(event);
    }
    return event;
  }

  #follow(client: ChatClient): (() => void)[] {
    const stops: (() => void)[] = [];
    this.#forward = (event) =>
      void stops.push(
        client.wire.on(event, (...values) => {
          const { topic, answer } = values.pop() as WireContext;
          // Another namespace is another socket's. What the backend waits for is a function behind the values.
          if (topic === "") this.#others.emit(event, ...values, ...(answer ? [answer] : []));
        }),
      );
    for (const event of this.#wanted) this.#forward(event);
    const watched = [this.receipts.follow(client), ...this.watch(client)];
    return [
      () => {
        this.#forward = undefined;
        for (const stop of [...stops, ...watched]) stop();
      },
    ];
  }
}
