import { Emitter, type Listener } from "../emitter.js";
import { ChatError, check } from "../errors.js";

/** The listeners of a facade, as its guide's reader puts them on. A misspelt event is refused. */
export abstract class Facade<Events extends Record<string, unknown[]>> {
  protected readonly emitter = new Emitter<Events>();

  protected constructor(private readonly events: readonly (keyof Events & string)[]) {}

  /** Hears every `event` from now on. The function returned takes the listener off again. */
  on<E extends keyof Events & string>(event: E, listener: Listener<Events[E]>): () => void {
    return this.emitter.on(this.#known(event), check.function("listener", listener));
  }

  /** Hears the next `event` only. The function returned takes the listener off again. */
  once<E extends keyof Events & string>(event: E, listener: Listener<Events[E]>): () => void {
    return this.emitter.once(this.#known(event), check.function("listener", listener));
  }

  /** Takes the oldest entry of this listener off; without one, every listener of `event`. */
  off<E extends keyof Events & string>(event: E, listener?: Listener<Events[E]>): void {
    if (listener) this.emitter.off(event, listener);
    else this.emitter.removeAllListeners(check.id("event", event) as E);
  }

  /** Takes every listener off, of `event` or of all events. */
  removeAllListeners(event?: keyof Events & string): void {
    this.emitter.removeAllListeners(event);
  }

  /** How many listeners `event` has. */
  listenerCount(event: keyof Events & string): number {
    return this.emitter.listenerCount(event);
  }

  #known<E extends keyof Events & string>(event: E): E {
    if (this.events.includes(event)) return event;
    const got = JSON.stringify(String(event).slice(0, 60));
    throw new ChatError("validation", `there is no event ${got}: there are ${this.events.join(", ")}`);
  }
}
