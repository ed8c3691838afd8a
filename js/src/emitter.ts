/** A function that hears an event. */
export type Listener<Args extends unknown[]> = (...args: Args) => void;

/** The listener's type is known to whoever asks by its event. */
type Entry = { listener: unknown; once: boolean };

/**
 * Typed events. Lists are replaced, never changed: a listener that adds or removes others while an event is being told
 * changes the next telling. A listener that throws is reported and stops nobody else.
 */
export class Emitter<Events extends Record<string, unknown[]>> {
  readonly #entries = new Map<keyof Events, readonly Entry[]>();

  /** @param changed called when listeners came or went. */
  constructor(private readonly changed?: () => void) {}

  /** Hears every `event` from now on. The function returned takes the listener off again. */
  on<E extends keyof Events>(event: E, listener: Listener<Events[E]>): () => void {
    return this.#add(event, { listener, once: false });
  }

  /** Hears the next `event` only. */
  once<E extends keyof Events>(event: E, listener: Listener<Events[E]>): () => void {
    return this.#add(event, { listener, once: true });
  }

  /** Takes off the oldest entry of this listener; nothing happens if there is none. */
  off<E extends keyof Events>(event: E, listener: Listener<Events[E]>): void {
    const entry = this.#entries.get(event)?.find((entry) => entry.listener === listener);
    if (entry) this.#remove(event, entry);
  }

  /** Takes off every listener of `event`, or of all events. */
  removeAllListeners(event?: keyof Events): void {
    if (event === undefined) this.#entries.clear();
    else this.#entries.delete(event);
    this.changed?.();
  }

  listenerCount(event: keyof Events): number {
    return this.#entries.get(event)?.length ?? 0;
  }

  emit<E extends keyof Events>(event: E, ...args: Events[E]): void {
    for (const entry of this.#entries.get(event) ?? []) {
      if (entry.once) this.#remove(event, entry);
      guarded(() => (entry.listener as Listener<Events[E]>)(...args));
    }
  }

  #add(event: keyof Events, entry: Entry): () => void {
    this.#entries.set(event, [...(this.#entries.get(event) ?? []), entry]);
    this.changed?.();
    return () => this.#remove(event, entry);
  }

  #remove(event: keyof Events, entry: Entry): void {
    const rest = (this.#entries.get(event) ?? []).filter((other) => other !== entry);
    if (rest.length > 0) this.#entries.set(event, rest);
    else this.#entries.delete(event);
    this.changed?.();
  }
}

/** Functions to be called at a change, as `useSyncExternalStore` wants them. */
export class Subscribers {
  readonly #entries = new Set<{ notify: () => void }>();

  get size(): number {
    return this.#entries.size;
  }

  add(notify: () => void): () => void {
    // Its own entry each time, so that the same function may subscribe twice.
    const entry = { notify };
    this.#entries.add(entry);
    return () => {
      this.#entries.delete(entry);
    };
  }

  notify(): void {
    for (const entry of [...this.#entries]) guarded(entry.notify);
  }

  clear(): void {
    this.#entries.clear();
  }
}

/** Runs code of the application's: what it throws is reported as an uncaught error would be, and goes no further. */
export function guarded(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (typeof globalThis.reportError === "function") globalThis.reportError(error);
    else console.error(error);
  }
}

/** The same with what may resolve later: gives that, or nothing where it throws or rejects. */
export async function guardedAsync(run: () => unknown): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    guarded(() => {
      throw error;
    });
    return undefined;
  }
}
