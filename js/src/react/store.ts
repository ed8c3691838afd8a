// What the hooks stand on. Each store reads one session and holds no chat state: its snapshot is put together from those
// of the client, and is the same object until a part of it changes.
import type { ChatClient } from "../client.js";
import { Subscribers } from "../emitter.js";
import type { Readable } from "../types.js";
import type { Session } from "./session.js";

export abstract class SessionStore<S extends object> implements Readable<S> {
  #snapshot: S | undefined;
  #serverSnapshot: S | undefined;
  #fresh = false;
  #client: ChatClient | null = null;
  #stop: (() => void) | undefined;
  readonly #subscribers = new Subscribers();
  /** Called when the last subscriber has gone. */
  onUnwatched: (() => void) | undefined;

  constructor(protected readonly session: Session) {}

  /** What to show; `client` is null while there is none, and on a server. */
  protected abstract read(client: ChatClient | null): S;

  /** Begins to watch what `read` reads; `changed` is to be called at each change. The function returned ends it. */
  protected abstract watch(client: ChatClient, changed: () => void): () => void;

  readonly getSnapshot = (): S => {
    if (this.#fresh && this.#snapshot) return this.#snapshot;
    const next = this.read(this.session.getSnapshot().client);
    if (!this.#snapshot || !sameFields(this.#snapshot, next)) this.#snapshot = next;
    // Unwatched, it would not hear of the next change.
    this.#fresh = this.#stop !== undefined;
    return this.#snapshot;
  };

  readonly getServerSnapshot = (): S => {
    this.#serverSnapshot ??= this.read(null);
    return this.#serverSnapshot;
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    const remove = this.#subscribers.add(listener);
    if (!this.#stop) this.#start();
    return () => {
      remove();
      // StrictMode takes a component off and puts it back within one task.
      queueMicrotask(() => {
        if (this.#subscribers.size === 0) this.#end();
      });
    };
  };

  protected readonly changed = (): void => {
    this.#fresh = false;
    this.#subscribers.notify();
  };

  #start(): void {
    let unwatch: (() => void) | undefined;
    const follow = () => {
      const { client } = this.session.getSnapshot();
      if (client !== this.#client) {
        unwatch?.();
        this.#client = client;
        unwatch = client ? this.watch(client, this.changed) : undefined;
      }
      this.changed();
    };
    const stopSession = this.session.subscribe(follow);
    this.#stop = () => {
      stopSession();
      unwatch?.();
      this.#client = null;
    };
    follow();
  }

  #end(): void {
    this.#stop?.();
    this.#stop = undefined;
    this.#fresh = false;
    this.onUnwatched?.();
  }
}

function sameFields<S extends object>(a: S, b: S): boolean {
  return (Object.keys(b) as (keyof S)[]).every((field) => Object.is(a[field], b[field]));
}
