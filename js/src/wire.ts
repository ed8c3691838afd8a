import { Emitter, type Listener } from "./emitter.js";
import { check } from "./errors.js";
import type { Requests } from "./requests.js";
import type { Json } from "./types.js";

export type WireSendOptions = {
  /** Wait for the backend's answer. */
  ack?: boolean | undefined;
  /** For an answer, milliseconds. */
  timeoutMs?: number | undefined;
};

/** The backend's own events, by their own names. They are not queued: offline, `send` rejects. */
export class Wire {
  readonly #emitter = new Emitter<Record<string, Json[]>>();

  constructor(private readonly requests: Requests) {}

  on(event: string, listener: Listener<Json[]>): () => void {
    return this.#emitter.on(check.id("event", event), check.function("listener", listener));
  }

  once(event: string, listener: Listener<Json[]>): () => void {
    return this.#emitter.once(check.id("event", event), check.function("listener", listener));
  }

  off(event: string, listener: Listener<Json[]>): void {
    this.#emitter.off(event, listener);
  }

  removeAllListeners(event?: string): void {
    this.#emitter.removeAllListeners(event);
  }

  listenerCount(event: string): number {
    return this.#emitter.listenerCount(event);
  }

  /** Resolves with the backend's answer where `ack` asks for one, else with null once the frame is handed over. */
  async send(event: string, payload: Json = null, options: WireSendOptions | null = {}): Promise<Json> {
    const { ack = false, timeoutMs } = check.options("options", options ?? {}, ["ack", "timeoutMs"]);
    const wireSend = {
      event: check.id("event", event),
      args: check.json("payload", payload),
      ack: check.boolean("ack", ack),
      timeoutMs: timeoutMs === undefined ? undefined : check.count("timeoutMs", timeoutMs, 2 ** 31 - 1),
    };
    const outcome = await this.requests.run({ wireSend });
    return outcome.kind === "wire" ? outcome.value : null;
  }

  /** The backend said this. */
  tell(event: string, args: Json[]): void {
    this.#emitter.emit(event, ...args);
  }
}
