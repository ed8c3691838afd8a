import type { EventOf } from "./core.js";
import { Emitter, guarded, type Listener } from "./emitter.js";
import { ChatError, check } from "./errors.js";
import type { ProfileSpec, Received } from "./profile.js";
import type { Requests } from "./requests.js";
import type { ConnectionSnapshot, Json } from "./types.js";
import { packed, unpacked } from "./wire-data.js";

/** JSON in which bytes may stand: they travel as binary frames. They come as `Uint8Array`. */
export type WireValue =
  | Json
  | Uint8Array
  | ArrayBuffer
  | readonly WireValue[]
  | { readonly [name: string]: WireValue };

/** How an event of the backend's own is sent. */
export type WireSendOptions = {
  /** Wait for the backend's answer. */
  ack?: boolean | undefined;
  /** For an answer, milliseconds. */
  timeoutMs?: number | undefined;
  /** A Phoenix topic, by default the user's own, or a Socket.IO namespace, by default the session's own. */
  topic?: string | undefined;
};

/** What comes behind an event's values: the topic it came on, and how to answer where the backend waits for that. */
export type WireContext = {
  /** With Socket.IO empty in the session's own namespace. */
  topic: string;
  /** Answers, once. Only where the backend asked for an answer, and in the tab that has the socket. */
  answer?: (...values: WireValue[]) => void;
};

type Values = [...WireValue[], WireContext];
/**
 * What listeners take is up to the backend's event.
 * @inline
 */
// biome-ignore lint/suspicious/noExplicitAny: as above
type WireListener = Listener<any[]>;

/** The backend's own events, by their own names. They are not queued: offline, `send` rejects. */
export class Wire {
  readonly #emitter = new Emitter<Record<string, Values>>();

  constructor(
    private readonly requests: Requests,
    private readonly receive: ProfileSpec["receive"],
    private readonly connection: () => Pick<ConnectionSnapshot, "state" | "leader">,
  ) {}

  /** `listener` is given the event's values, and behind them its {@link WireContext}. */
  on(event: string, listener: WireListener): () => void {
    return this.#emitter.on(check.id("event", event), check.function("listener", listener));
  }

  /** The same for the next `event` only. */
  once(event: string, listener: WireListener): () => void {
    return this.#emitter.once(check.id("event", event), check.function("listener", listener));
  }

  /** Takes the oldest entry of this listener off; nothing happens if there is none. */
  off(event: string, listener: WireListener): void {
    this.#emitter.off(event, listener);
  }

  /** Takes every listener off, of `event` or of all events. */
  removeAllListeners(event?: string): void {
    this.#emitter.removeAllListeners(event);
  }

  /** How many listeners `event` has. */
  listenerCount(event: string): number {
    return this.#emitter.listenerCount(event);
  }

  /**
   * Events of this topic are wanted: of a Phoenix topic, or of another namespace of the same Socket.IO connection. It is
   * joined on every connection, with these parameters; with Socket.IO they go beside the token. Others join it anew.
   * Resolves when it is joined, or at once where this tab has no connection: then it is joined with the next one. Rejects
   * where the server refuses.
   */
  async join(topic: string, params: { readonly [name: string]: Json } | null = {}): Promise<void> {
    check.fields("params", params ?? {}, []);
    const given = check.json("params", params ?? {}) as Json;
    await this.requests.run({ wireTopic: { topic: check.id("topic", topic), params: given } });
  }

  /** They are not wanted any more. */
  async leave(topic: string): Promise<void> {
    await this.requests.run({ wireTopic: { topic: check.id("topic", topic), params: null } });
  }

  /** Resolves with the backend's answer where `ack` asks for one, else with null once the frame is handed over. */
  async send(
    event: string,
    payload: WireValue = null,
    options: WireSendOptions | null = {},
  ): Promise<WireValue> {
    const names = ["ack", "timeoutMs", "topic"] as const;
    const { ack = false, timeoutMs, topic } = check.options("options", options ?? {}, [...names]);
    const wireSend = {
      event: check.id("event", event),
      ...packed("payload", payload),
      ack: check.boolean("ack", ack),
      timeoutMs: timeoutMs === undefined ? undefined : check.count("timeoutMs", timeoutMs, 2 ** 31 - 1),
      topic: topic === undefined ? undefined : check.id("topic", topic),
    };
    const { state, leader } = this.connection();
    if (state === "online" && !leader && wireSend.attachments.length > 0) throw elsewhere(wireSend.event);
    const outcome = await this.requests.run({ wireSend });
    return outcome.kind === "wire" ? unpacked(outcome.value) : null;
  }

  /** The backend said this. @internal */
  tell({ event, topic, args, ackId }: EventOf<"wire">): void {
    const values = unpacked(args);
    if (topic === "" && Array.isArray(values) && this.#receives(event, values as WireValue[])) {
      // As the core does with events that it knows.
      if (ackId !== null) this.#answer(ackId, []);
      return;
    }
    const context: WireContext = { topic };
    if (ackId !== null) {
      context.answer = (...values) => {
        this.#answer(ackId, values);
      };
    }
    this.#emitter.emit(event, ...(Array.isArray(values) ? (values as WireValue[]) : []), context);
  }

  #answer(ackId: number, values: WireValue[]): void {
    // Where the socket is gone there is nobody to hear it.
    this.requests.run({ wireAnswer: { ackId, ...packed("answer", values) } }).catch(() => {});
  }

  /** Whether the profile says what the event stands for: the core is told that, and nobody of this one. */
  #receives(event: string, values: WireValue[]): boolean {
    const { receive } = this;
    let told: Received[] = [];
    // What it throws is the application's to see, and is nobody else's trouble.
    guarded(() => {
      told = [receive?.(event, ...values) ?? []].flat();
      for (const { event, payload } of told) {
        const values = [check.json("receive", payload)] as Json[];
        this.requests.run({ wireReceive: { event: check.id("receive", event), values } }).catch(() => {});
      }
    });
    return told.length > 0;
  }
}

/** Connected, and not by a socket of this tab's own. */
function elsewhere(event: string): ChatError {
  const text = `${event}: not sent, another tab has the socket, and bytes stay in their tab: send it where chat.connection.leader is true; here, at "connected" once this tab leads`;
  return new ChatError("server", text, { retryable: true });
}
