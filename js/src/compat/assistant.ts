// The assistant's guide (WIRES.md A1 to A14): `ChatService`, `MessageQueue`, `NetworkManager`, `OAuthHandler`.
import type { ChatClient } from "../client.js";
import { ChatError, check } from "../errors.js";
import { handleOAuthRequest, type OAuthOptions } from "../oauth.js";
import type { Draft, Json, Message } from "../types.js";
import { Facade } from "./facade.js";
import { type FacadeOptions, Slot } from "./slot.js";

/** Its only conversation. */
const assistant = "assistant";

/** A record as that wire has it (A5). */
export type ChatMessage = {
  id: string;
  content: string;
  sender: "user" | "ai";
  /** ISO 8601. */
  timestamp: string;
  type: string;
  metadata?: Json;
};

function recordOf(message: Message): ChatMessage {
  return {
    id: message.id ?? message.rowKey,
    content: message.text,
    sender: message.sender === "ai" || message.sender === "system" ? "ai" : "user",
    timestamp: message.createdAt,
    type: message.type,
    ...(message.metadata !== null && { metadata: message.metadata }),
  };
}

/** A7. */
export type ChatServiceEvents = {
  message: [message: ChatMessage];
  connected: [];
  disconnected: [reason: string];
  /** What went wrong with the connection, or with a message of this user's. */
  error: [error: ChatError];
  /** True from what the user sends until the next message or failure (A8). */
  typing: [isTyping: boolean];
  /** The assistant asks for consent (A11): show a button, and call `handleOAuthRequest(authUrl)` in the task of its click. */
  oauthRequired: [request: { authUrl: string; message: ChatMessage }];
};

/** A client of an assistant, by the events of its guide (A7). Options as those of `createChat`; `profile` is `assistant`. */
export class ChatService extends Facade<ChatServiceEvents> {
  readonly #slot: Slot;

  constructor(options: FacadeOptions) {
    super(["message", "connected", "disconnected", "error", "typing", "oauthRequired"]);
    this.#slot = new Slot("ChatService", assistant, options, (client) => this.#watch(client));
  }

  /** Resolves when connected (A1, A2). `userId` and `token` may be given here, too: another user is another client. */
  async connect(userId?: string | number, token?: string): Promise<void> {
    await this.#slot.login(userId, token);
    await this.#slot.connect();
  }

  /** And stays so (A9); what is queued waits for the next `connect()`. */
  disconnect(): void {
    this.#slot.disconnect();
  }

  /** Ends the client; the next `connect()` makes another. */
  close(): Promise<void> {
    return this.#slot.close();
  }

  /** Whether the connection is there now. */
  get isConnected(): boolean {
    return this.#slot.isOnline;
  }

  /** A8. */
  get isTyping(): boolean {
    return (this.#slot.now()?.typing(assistant) ?? []).length > 0;
  }

  /** What the backend told about the session (A6), or null. */
  get context(): Json {
    return this.#slot.now()?.context ?? null;
  }

  /** Resolves when the message is on disk, connected or not (A3). */
  async sendMessage(content: string, metadata?: Json): Promise<ChatMessage> {
    const draft: Draft = metadata === undefined ? { text: content } : { text: content, metadata };
    return recordOf(await (await this.#slot.ready()).send(assistant, draft));
  }

  /** The client below, for what the guide did not have. */
  client(): Promise<ChatClient> {
    return this.#slot.ready();
  }

  #watch(client: ChatClient): (() => void)[] {
    const { emitter } = this;
    return [
      client.on("message", (message) => emitter.emit("message", recordOf(message))),
      client.on("connected", () => emitter.emit("connected")),
      client.on("disconnected", ({ reason }) => emitter.emit("disconnected", reason ?? "")),
      client.on("error", (error) => emitter.emit("error", error)),
      client.on("authError", (error) => emitter.emit("error", error)),
      client.on("status", ({ failure }) => failure && emitter.emit("error", ChatError.from(failure))),
      client.on("typing", ({ conversationId }) => {
        if (conversationId === assistant) emitter.emit("typing", this.isTyping);
      }),
      client.on("oauthRequired", ({ authUrl, message }) =>
        emitter.emit("oauthRequired", { authUrl, message: recordOf(message) }),
      ),
    ];
  }
}

/** An entry of the queue (A12). */
export type QueuedMessage = {
  id: string;
  content: string;
  metadata?: Json;
  /** Milliseconds. */
  timestamp: number;
  /**
   * The core counts the attempts: this is 0 while it has the message under way, and `maxRetries` once it has given up and
   * keeps the message as failed.
   */
  retryCount: number;
};

/**
 * The queue of an assistant's guide (A12), which is the client's own: it is on disk, and sent by itself when there is a
 * connection. After three answers of failure a message is kept as failed; the guide's dropped it.
 */
export class MessageQueue {
  /** Answers of failure after which a message is kept as failed. */
  static readonly maxRetries = 3;
  readonly #ready: () => Promise<ChatClient>;

  /** Of this service, or of a client. */
  constructor(of: ChatService | ChatClient) {
    this.#ready = of instanceof ChatService ? () => of.client() : async () => of;
  }

  /** Resolves with the entry when it is on disk. */
  async enqueue(content: string, metadata?: Json): Promise<QueuedMessage> {
    const draft: Draft = metadata === undefined ? { text: content } : { text: content, metadata };
    return entryOf(await (await this.#ready()).send(assistant, draft));
  }

  /** What is not sent yet or has failed, oldest first. */
  async getQueue(): Promise<QueuedMessage[]> {
    return (await this.#messages()).map(entryOf);
  }

  /** How many messages are not sent yet or have failed. */
  async size(): Promise<number> {
    return (await this.#messages()).length;
  }

  /** Sends what has failed again. The rest needs nobody. */
  async processQueue(): Promise<void> {
    const client = await this.#ready();
    for (const { key, status } of await this.#messages()) if (status === "failed") await client.resend(key);
  }

  /** Sends this one again, if it has failed. */
  async retry(id: string): Promise<void> {
    await (await this.#ready()).resend(check.id("id", id));
  }

  /** Takes it out: what has failed is forgotten, what was never on the wire is taken back; else rejects with `inFlight`. */
  async dequeue(id: string): Promise<void> {
    const client = await this.#ready();
    const found = (await this.#messages()).find(({ key }) => key === check.id("id", id));
    if (found?.status === "failed") await client.discard(id);
    else await client.cancel(id);
  }

  /** Takes out all that can be taken out; what is on the wire stays. */
  async clear(): Promise<void> {
    for (const { key } of await this.#messages()) {
      try {
        await this.dequeue(key ?? "");
      } catch (error) {
        if (!(error instanceof ChatError && ["inFlight", "notFound"].includes(error.code))) throw error;
      }
    }
  }

  async #messages(): Promise<Message[]> {
    const queued = await (await this.#ready()).outbox();
    return queued.filter(({ conversationId, change }) => conversationId === assistant && !change);
  }
}

function entryOf({ key, rowKey, text, metadata, createdAt, status }: Message): QueuedMessage {
  return {
    id: key ?? rowKey,
    content: text,
    ...(metadata !== null && { metadata }),
    timestamp: Date.parse(createdAt),
    retryCount: status === "failed" ? MessageQueue.maxRetries : 0,
  };
}

/** A14. */
export type NetworkEvents = {
  online: [];
  offline: [];
  connectionChange: [connected: boolean];
};

/** Whether there is a network, as the browser says (A14). The client needs no such thing: it watches by itself. */
export class NetworkManager extends Facade<NetworkEvents> {
  constructor() {
    super(["online", "offline", "connectionChange"]);
    if (typeof window === "undefined") return;
    window.addEventListener("online", this.#tell);
    window.addEventListener("offline", this.#tell);
  }

  /** True where the browser does not say. */
  get connected(): boolean {
    return typeof navigator === "undefined" || navigator.onLine !== false;
  }

  /** Hears nothing any more. */
  destroy(): void {
    this.removeAllListeners();
    if (typeof window === "undefined") return;
    window.removeEventListener("online", this.#tell);
    window.removeEventListener("offline", this.#tell);
  }

  readonly #tell = ({ type }: { type: string }): void => {
    const connected = type === "online";
    this.emitter.emit(connected ? "online" : "offline");
    this.emitter.emit("connectionChange", connected);
  };
}

/** Why a request for consent ended without an answer (A11). `invalid`: its address is no http or https one. */
export type OAuthFailure = "blocked" | "closed" | "timeout" | "invalid";

/** How a request for consent ended. */
export type OAuthEvents = {
  success: [];
  denied: [];
  error: [failure: OAuthFailure, error: ChatError];
};

const failures: Partial<Record<ChatError["code"], OAuthFailure>> = {
  forbidden: "blocked",
  cancelled: "closed",
  timeout: "timeout",
};

/**
 * Consent in a popup, with true or false as its result (A11); the event `error` tells apart why there was none. Its callback page
 * calls `completeOAuth()`.
 */
export class OAuthHandler extends Facade<OAuthEvents> {
  readonly #options: OAuthOptions;

  constructor(options: OAuthOptions = {}) {
    super(["success", "denied", "error"]);
    this.#options = options;
  }

  /** True where consent was given. Never rejects. Call it in the task of a click. */
  async handleOAuthRequest(authUrl: string): Promise<boolean> {
    try {
      const granted = await handleOAuthRequest(authUrl, this.#options);
      this.emitter.emit(granted ? "success" : "denied");
      return granted;
    } catch (error) {
      const told = error as ChatError;
      this.emitter.emit("error", failures[told.code] ?? "invalid", told);
      return false;
    }
  }
}
