// The Phoenix guide (WIRES.md P1 to P12): `SocketService`. Its `ChatManager` stands in chat-manager.ts.
import type { ChatClient } from "../client.js";
import { Emitter, type Listener } from "../emitter.js";
import { ChatError, check, toChatError } from "../errors.js";
import { withNewestRow } from "../ids.js";
import type { Json, Message } from "../types.js";
import type { WireContext } from "../wire.js";
import { Facade } from "./facade.js";
import { type PhoenixMessage, phoenixMessage, readOfConversation, readOfUser } from "./phoenix-events.js";
import { sendAs } from "./records.js";
import { type FacadeOptions, Slot } from "./slot.js";

/** How the connection fares. */
export type SocketServiceEvents = {
  connected: [];
  disconnected: [reason: string];
  error: [error: ChatError];
};

/**
 * What listeners of a channel's event take is up to that event.
 * @inline
 */
// biome-ignore lint/suspicious/noExplicitAny: as above
type AnyListener = Listener<any[]>;

const ofConversation = /^conversation:(.+)$/s;

/** The application's one socket (P1). Options as those of `createChat`; `profile` is `phoenix`. */
export class SocketService extends Facade<SocketServiceEvents> {
  readonly #slot: Slot;
  readonly #channels = new Map<string, Channel>();
  /** Channels that were asked for before anybody has logged in. */
  readonly #waiting: ((client: ChatClient) => void)[] = [];

  constructor(options: FacadeOptions) {
    super(["connected", "disconnected", "error"]);
    this.#slot = new Slot("SocketService", "phoenix", options, (client) => this.#watch(client));
  }

  /** Resolves when connected. Another user is another client. */
  async connect(userId?: string | number, token?: string): Promise<void> {
    await this.#slot.login(userId, token);
    await this.#slot.connect();
  }

  /** And stays so; what is queued waits for the next `connect()`. */
  disconnect(): void {
    this.#slot.disconnect();
  }

  /** Leaves every topic, and ends the client; the next `connect()` makes another. */
  close(): Promise<void> {
    return this.#slot.close();
  }

  /** Whether the connection is there now. */
  isConnected(): boolean {
    return this.#slot.isOnline;
  }

  /** The channel of a topic, joined (P1); the same one until it is left. `channel.joined` tells how the join ended; before the login it waits. */
  channel(topic: string, params: { readonly [name: string]: Json } = {}): Channel {
    let channel = this.#channels.get(check.id("topic", topic));
    if (!channel) {
      const clients = { now: this.#slot.ready, atLogin: () => this.#atLogin() };
      channel = new Channel(topic, params, clients, () => this.#channels.delete(topic));
      this.#channels.set(topic, channel);
    }
    return channel;
  }

  /** The same, by another name of guides. */
  joinChannel(topic: string, params: { readonly [name: string]: Json } = {}): Channel {
    return this.channel(topic, params);
  }

  /** Leaves the topic, where it has a channel. */
  async leaveChannel(topic: string): Promise<void> {
    await this.#channels.get(topic)?.leave();
  }

  /** The client below, for what the guide did not have. */
  client(): Promise<ChatClient> {
    return this.#slot.ready();
  }

  async #atLogin(): Promise<ChatClient> {
    try {
      return await this.#slot.ready();
    } catch (error) {
      // What is missing or wrong is told by `connect()`.
      if (toChatError(error).code !== "config") throw error;
      return new Promise((resolve) => void this.#waiting.push(resolve));
    }
  }

  #watch(client: ChatClient): (() => void)[] {
    const { emitter } = this;
    for (const goOn of this.#waiting.splice(0)) goOn(client);
    return [
      client.on("connected", () => emitter.emit("connected")),
      client.on("disconnected", ({ reason }) => emitter.emit("disconnected", reason ?? "")),
      client.on("error", (error) => emitter.emit("error", error)),
      client.on("authError", (error) => emitter.emit("error", error)),
      () => {
        for (const channel of [...this.#channels.values()]) channel.leave().catch(() => {});
      },
    ];
  }
}

/**
 * One topic. On `conversation:ID` (P6) it tells what the client tells of that conversation (P8), and what is pushed of P7 goes through
 * the client; on any other topic events come and go as they are, those of calls on `user:ID` too (P11).
 */
export class Channel {
  readonly #emitter = new Emitter<Record<string, unknown[]>>();
  readonly #conversationId: string | undefined;
  readonly #wanted = new Set<string>();
  #client: ChatClient | undefined;
  #stops: (() => void)[] = [];
  #joined: Promise<void>;
  #hasFailed = false;
  #left = false;

  constructor(
    /** As it was asked for. */
    readonly topic: string,
    private readonly params: { readonly [name: string]: Json },
    private readonly clients: { now: () => Promise<ChatClient>; atLogin: () => Promise<ChatClient> },
    private readonly onLeft: () => void,
  ) {
    this.#conversationId = ofConversation.exec(topic)?.[1];
    this.#joined = this.#start();
  }

  /**
   * Resolves when the topic is joined, with a conversation when its window shows what there is; rejects where the server refuses,
   * and with `cancelled` where the channel is left before. Without a login it waits for one.
   */
  get joined(): Promise<void> {
    return this.#joined;
  }

  /** Gives `joined`; what was refused is tried again. */
  join(): Promise<void> {
    if (this.#hasFailed && !this.#left) this.#joined = this.#start();
    return this.#joined;
  }

  /** Hears every `event` of this topic from now on, with its payload. The function returned takes the listener off again. */
  on(event: string, listener: AnyListener): () => void {
    check.function("listener", listener);
    if (!this.#wanted.has(check.id("event", event))) {
      this.#wanted.add(event);
      if (this.#client) this.#follow(this.#client, event);
    }
    return this.#emitter.on(event, listener);
  }

  /** Takes the oldest entry of this listener off; without one, every listener of `event`. */
  off(event: string, listener?: AnyListener): void {
    if (listener) this.#emitter.off(event, listener);
    else this.#emitter.removeAllListeners(check.id("event", event));
  }

  /** Goes through the queue on a conversation's topic, and resolves when it is acknowledged. */
  push(
    event: "message:send" | "message:update" | "message:delete" | "message:react",
    payload: { readonly [name: string]: Json },
  ): Promise<{ message: PhoenixMessage }>;
  /** Resolves with the backend's reply (P3). */
  push(event: string, payload?: { readonly [name: string]: Json }): Promise<unknown>;
  async push(event: string, payload: { readonly [name: string]: Json } = {}): Promise<unknown> {
    const client = await this.clients.now();
    const id = this.#conversationId;
    const change = changes[event];
    if (id !== undefined && change) {
      const of = check.id("id", payload.id as string);
      const { key } = await withNewestRow(client, id, [of], (rowKey) => change(client, rowKey, payload));
      return { message: phoenixMessage(await client.acknowledged(key)) };
    }
    if (id !== undefined && event === "message:send") {
      const { client_id, content, type, metadata, reply_to: replyTo } = payload;
      const text = check.string("content", content);
      const { key } = await sendAs(client, id, text, { key: client_id, type, metadata, replyTo });
      return { message: phoenixMessage(await client.acknowledged(key)) };
    }
    if (id !== undefined && event === "message:read") {
      const upTo = check.id("up_to", payload.up_to as string);
      return withNewestRow(client, id, [upTo], (rowKey) => client.markRead(id, rowKey));
    }
    if (id !== undefined && event === "typing") return client.setTyping(id, payload.is_typing === true);
    return client.wire.send(event, payload, { ack: true, topic: this.topic });
  }

  /** Hears nothing any more; the topic is not wanted on the next connections either. */
  async leave(): Promise<void> {
    if (this.#left) return;
    this.#left = true;
    this.onLeft();
    this.#stop();
    const client = this.#client;
    if (client && !this.#isOwn(client)) await client.wire.leave(this.topic);
  }

  #start(): Promise<void> {
    this.#hasFailed = false;
    const joined = this.#join();
    // Who does not ask is not stopped by it.
    joined.catch(() => {
      this.#hasFailed = true;
    });
    return joined;
  }

  #stop(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  async #join(): Promise<void> {
    const client = await this.clients.atLogin();
    if (this.#left) throw this.#wasLeft();
    this.#stop();
    this.#client = client;
    for (const event of this.#wanted) this.#follow(client, event);
    const id = this.#conversationId;
    if (id !== undefined) {
      // A window is what keeps a conversation's topic joined.
      const timeline = client.timeline(id);
      this.#stops.push(() => timeline.close());
      await this.#until(timeline.subscribe, () => {
        const { loading, error } = timeline.getSnapshot();
        if (error) throw error;
        return !loading;
      });
    } else if (!this.#isOwn(client)) {
      // Without a connection it would be wanted, and say so, before the server has been asked.
      const subscribe = (look: () => void) => client.on("connection", look);
      await this.#until(subscribe, () => client.connection.state === "online");
      await client.wire.join(this.topic, this.params);
    }
  }

  /** Resolves when this is so, rejects with what it throws, and where the channel is left before. */
  #until(subscribe: (look: () => void) => () => void, isSo: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        try {
          if (isSo()) resolve();
        } catch (error) {
          reject(error);
        }
      };
      this.#stops.push(subscribe(look), () => reject(this.#wasLeft()));
      look();
    });
  }

  #wasLeft(): ChatError {
    return new ChatError("cancelled", `the channel ${this.topic} was left before it was joined`);
  }

  /** Topics that the client joins by itself (P6). */
  #isOwn(client: ChatClient): boolean {
    return this.#conversationId !== undefined || this.topic === `user:${client.userId}`;
  }

  #follow(client: ChatClient, event: string): void {
    const id = this.#conversationId;
    const tell = (payload: unknown) => this.#emitter.emit(event, payload);
    const read = id === undefined ? undefined : readOfConversation[event]?.(client, id, tell);
    const stop =
      read ?? (this.topic === `user:${client.userId}` ? readOfUser[event]?.(client, tell) : undefined);
    this.#stops.push(
      stop ??
        client.wire.on(event, (...values) => {
          const { topic } = values.at(-1) as WireContext;
          if (topic === this.topic) this.#emitter.emit(event, ...values.slice(0, -1));
        }),
    );
  }
}

type Change = (
  client: ChatClient,
  rowKey: string,
  payload: { readonly [name: string]: Json },
) => Promise<Message>;

/** D7: pushes that change a message, through the queue. */
const changes: Record<string, Change | undefined> = {
  "message:update": (client, rowKey, { content }) => client.edit(rowKey, check.string("content", content)),
  "message:delete": (client, rowKey) => client.remove(rowKey),
  "message:react": (client, rowKey, { emoji, op }) =>
    client[op === "remove" ? "unreact" : "react"](rowKey, check.string("emoji", emoji)),
};
