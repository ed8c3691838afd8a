// The channels guide (WIRES.md H1 to H7): `ChatSocketClient`, `MessageRecoveryManager`, `SocketEvents`, `SocketErrorType`.
import type { ChatClient } from "../client.js";
import { guardedAsync } from "../emitter.js";
import { ChatError } from "../errors.js";
import { isId } from "../ids.js";
import type { ConnectionSnapshot, Json, Message, TokenReason } from "../types.js";
import { type Ack, ackOf, serverId } from "./records.js";
import type { FacadeOptions } from "./slot.js";
import { WireFacade } from "./wire-facade.js";

/** H4, H5. */
export const SocketEvents = {
  MESSAGE_SEND: "message:send",
  MESSAGE_NEW: "message:new",
  MESSAGE_DELIVERED: "message:delivered",
  MESSAGE_READ: "message:read",
} as const;

/** H6. */
export const SocketErrorType = {
  AUTH_FAILED: "auth_failed",
  CONNECTION_ERROR: "connection_error",
  MESSAGE_FAILED: "message_failed",
} as const;
/** One of the values of the same name (H6). */
export type SocketErrorType = (typeof SocketErrorType)[keyof typeof SocketErrorType];

/** H6. `messageId` where it is about a message. */
export type SocketError = { type: SocketErrorType; message: string; messageId?: string; cause: ChatError };

/** A message as that wire has it (H4). */
export type ChannelMessage = {
  id: string;
  content: string;
  channelId: string;
  userId: string;
  /** ISO 8601. */
  createdAt: string;
};

/** What is sent: a whole message (H4), or what is not known without the application. */
export type SentMessage = Pick<ChannelMessage, "content" | "channelId"> & {
  [K in "id" | "userId" | "createdAt"]?: string | undefined;
};

/** H1. Options as those of `createChat`; `profile` is `channels`. */
export type SocketConfig = FacadeOptions & {
  /**
   * The token was refused. A text that it gives, or resolves with, is the next one (H7); else it is that of `updateToken()` or `getToken`. A second
   * refusal ends in `failed`.
   */
  onAuthError?: ((error: SocketError) => unknown) | undefined;
  /** An attempt to connect has failed, or the connection was lost. */
  onConnectionError?: ((error: SocketError) => void) | undefined;
  /** Connected again. What is pending is sent by itself (H7). */
  onReconnect?: (() => void) | undefined;
};

/** H5. */
export type ChannelEvents = {
  connect: [];
  disconnect: [reason: string];
  error: [error: SocketError];
  "message:new": [message: ChannelMessage];
  "message:delivered": [told: { messageId: string }];
  "message:read": [told: { messageId: string }];
};

const events: (keyof ChannelEvents)[] = [
  "connect",
  "disconnect",
  "error",
  SocketEvents.MESSAGE_NEW,
  SocketEvents.MESSAGE_DELIVERED,
  SocketEvents.MESSAGE_READ,
];

/** The socket client of the channels guide: every message is acknowledged, and kept until it is (H4, H7). */
export class ChatSocketClient extends WireFacade<ChannelEvents> {
  readonly #config: SocketConfig;
  #token: string | undefined;
  /** The application has been told of this refusal. */
  #toldRefusal = false;
  #wasConnected = false;

  constructor(config: SocketConfig) {
    const { onAuthError, onConnectionError, onReconnect, token, ...options } = { ...config };
    const ask = (reason: TokenReason) => this.#ask(reason);
    const getToken = ({ reason }: { reason: TokenReason }) => ask(reason);
    super("ChatSocketClient", "channels", { ...options, getToken }, events);
    this.#config = { ...options, onAuthError, onConnectionError, onReconnect };
    this.#token = token;
  }

  /** Resolves when connected. */
  async connect(): Promise<void> {
    await this.slot.login();
    await this.slot.ready().catch((cause: ChatError) => {
      this.#failed(cause);
      throw cause;
    });
    await this.slot.connect();
  }

  /** Whether the connection is there now. */
  isConnected(): boolean {
    return this.slot.isOnline;
  }

  /** The server's id of this connection, or null. */
  getSocketId(): string | null {
    return this.slot.now()?.connection.socketId ?? null;
  }

  /** The token from now on, a raw JWT (H1). A client that has given up over the last one connects again. */
  updateToken(token: string): void {
    this.#token = token;
    const client = this.slot.now();
    if (client?.connection.state === "failed") client.connect().catch(() => {});
  }

  /**
   * Resolves with the acknowledgement (H4); while offline it waits, and the message is on disk. `id` is the message's own, minted here
   * where it has none; whose and from when it is the client says itself. Never rejects.
   */
  async sendMessage(message: SentMessage): Promise<Ack<ChannelMessage>> {
    try {
      const client = await this.slot.ready();
      const { id, content, channelId } = message;
      const sent = await client.send(channelId, content, id === undefined ? {} : { key: id });
      const ack = await ackOf(client, sent);
      return ack.success ? { success: true, data: channelMessageOf(ack.data) } : ack;
    } catch (error) {
      const cause = error as ChatError;
      this.emitter.emit("error", errorOf(SocketErrorType.MESSAGE_FAILED, cause, message?.id));
      return { success: false, error: cause.message };
    }
  }

  /**
   * `message:send` as `sendMessage`; what is read goes through the client, which says by itself what was delivered (H5); all else goes
   * as it is. `ack` is given the backend's answer (H4).
   */
  emit(
    event: string,
    payload: { readonly [name: string]: Json } = {},
    ack?: (answer: unknown) => void,
  ): void {
    this.answer(this.#emit(event, payload, ack !== undefined), ack, (error) =>
      this.emitter.emit("error", errorOf(SocketErrorType.MESSAGE_FAILED, error)),
    );
  }

  async #emit(event: string, payload: { readonly [name: string]: Json }, wantsAnswer: boolean) {
    if (event === SocketEvents.MESSAGE_SEND) return this.sendMessage(payload as SentMessage);
    if (event === SocketEvents.MESSAGE_DELIVERED) return { success: true };
    const client = await this.slot.ready();
    const { messageId, channelId } = payload;
    if (event === SocketEvents.MESSAGE_READ && isId(messageId)) {
      const read = this.receipts.read(client, messageId, channelId);
      if (read && (await read)) return { success: true };
    }
    return client.wire.send(event, payload, { ack: wantsAnswer });
  }

  /** Tells what the core has read, in the backend's shape. */
  protected override watch(client: ChatClient): (() => void)[] {
    const { emitter } = this;
    const ticks = { delivered: SocketEvents.MESSAGE_DELIVERED, read: SocketEvents.MESSAGE_READ } as const;
    return [
      client.on("connected", () => this.#connected()),
      client.on("disconnected", ({ reason }) => emitter.emit("disconnect", reason ?? "")),
      client.on("connection", (connection) => this.#fares(connection)),
      client.on("authError", (error) => this.#refused(error)),
      client.on("message", (message) => emitter.emit("message:new", channelMessageOf(message))),
      client.on("status", async ({ conversationId, rowKey, status, failure }) => {
        if (failure) {
          const cause = ChatError.from(failure);
          emitter.emit("error", errorOf(SocketErrorType.MESSAGE_FAILED, cause, rowKey));
        }
        if (status !== "delivered" && status !== "read") return;
        // H4: an own message's id is its key.
        const messageId = (await serverId(client, { conversationId, rowKey })) ?? rowKey;
        emitter.emit(ticks[status], { messageId });
      }),
    ];
  }

  #connected(): void {
    this.#toldRefusal = false;
    this.emitter.emit("connect");
    if (this.#wasConnected) this.#config.onReconnect?.();
    this.#wasConnected = true;
  }

  #fares({ state, reason, retryInMs }: ConnectionSnapshot): void {
    const isOver = state === "failed" && !reason?.startsWith("auth");
    if (!isOver && (state !== "waiting" || retryInMs === null)) return;
    this.#failed(new ChatError("server", reason ?? "the connection was lost", { retryable: !isOver }));
  }

  #failed(cause: ChatError): void {
    const error = errorOf(SocketErrorType.CONNECTION_ERROR, cause);
    this.emitter.emit("error", error);
    this.#config.onConnectionError?.(error);
  }

  #refused(cause: ChatError): void {
    const error = errorOf(SocketErrorType.AUTH_FAILED, cause);
    this.emitter.emit("error", error);
    if (!this.#toldRefusal) void guardedAsync(() => this.#config.onAuthError?.(error));
    this.#toldRefusal = false;
  }

  /** H7. */
  async #ask(reason: TokenReason): Promise<string> {
    const { onAuthError, getToken } = this.#config;
    if (reason === "refused" && onAuthError) {
      this.#toldRefusal = true;
      const cause = new ChatError("auth", "the server has refused the token", { retryable: true });
      const fresh = await onAuthError(errorOf(SocketErrorType.AUTH_FAILED, cause));
      if (typeof fresh === "string") {
        this.#token = fresh;
        return fresh;
      }
    }
    return (await getToken?.({ reason })) ?? this.#token ?? "";
  }
}

function channelMessageOf(message: Message): ChannelMessage {
  return {
    id: message.id ?? message.rowKey,
    content: message.text,
    channelId: message.conversationId,
    userId: message.senderId,
    createdAt: message.createdAt,
  };
}

function errorOf(type: SocketErrorType, cause: ChatError, messageId?: string): SocketError {
  return { type, message: cause.message, ...(messageId !== undefined && { messageId }), cause };
}

/**
 * What is not acknowledged yet, by the names of the channels guide. The client keeps it on disk and sends it by itself (H7): this
 * shows it, and decides over what has failed.
 */
export class MessageRecoveryManager {
  readonly #ready: () => Promise<ChatClient>;

  constructor(of: ChatSocketClient | ChatClient) {
    this.#ready = of instanceof ChatSocketClient ? () => of.client() : async () => of;
  }

  /** What waits or has failed, oldest first. */
  async getPendingMessages(): Promise<ChannelMessage[]> {
    return (await this.#messages()).map(channelMessageOf);
  }

  /** Of those, what was given up. */
  async getFailedMessages(): Promise<ChannelMessage[]> {
    return (await this.#messages()).filter(({ status }) => status === "failed").map(channelMessageOf);
  }

  /** Sends what has failed again; gives how many. */
  async recoverMessages(): Promise<number> {
    const client = await this.#ready();
    const failed = (await this.#messages()).filter(({ status }) => status === "failed");
    for (const { key } of failed) await client.resend(key);
    return failed.length;
  }

  /** Forgets this one, where it has failed; else takes it back, or rejects with `inFlight`. */
  async removePendingMessage(id: string): Promise<void> {
    const client = await this.#ready();
    const found = (await this.#messages()).find(({ key }) => key === id);
    if (found?.status === "failed") await client.discard(id);
    else await client.cancel(id);
  }

  async #messages(): Promise<Message[]> {
    return (await (await this.#ready()).outbox()).filter(({ change }) => !change);
  }
}
